"""A real vLLM server on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lceval import models

KEY = "sk-only-this-server"
START_S = 300


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The embedded model, served in float32 with a window of 2,048 to who knows `KEY`; its base URL.

    Args:
        folder: where its log goes.

    Raises:
        RuntimeError: it ended, or did not answer in time; the message holds the end of its log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(models.resolve(models.EMBEDDED))
    serve = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]  # `vllm serve`; the CPU wheel's own command does not start
    command = [*serve, "--model", model, "--served-model-name", models.EMBEDDED, "--host", "127.0.0.1", "--port", str(port)]
    options = ["--enforce-eager", "--max-model-len", "2048", "--dtype", "float32", "--enable-prompt-tokens-details"]
    log = folder / "server.log"
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_API_KEY": KEY, "VLLM_LOGGING_LEVEL": "WARNING"}
    with log.open("wb") as out, subprocess.Popen([*command, *options], env=environment, stdout=out, stderr=out) as server:
        try:
            for _ in range(2 * START_S):
                if server.poll() is not None:
                    raise RuntimeError(f"the server ended: {log.read_text()[-4000:]}")
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            else:
                raise RuntimeError(f"no server within {START_S} s: {log.read_text()[-4000:]}")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
