"""GPUs by name: memory, arithmetic and bandwidth, from their makers' data sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lceval.costs.units import parse_size, size_text
from lceval.errors import unknown

CONTEXT = 1 << 30
"""Bytes of a GPU that no tensor gets: the driver's context, the libraries' workspaces, and what the allocator cannot place."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU."""

    name: str
    memory: int
    """Bytes."""
    flops: float | None = None
    """Multiply-adds counted as two, a second, in bfloat16 (float16 where there is none), without sparsity. None: not known."""
    bandwidth: float | None = None
    """Bytes a second from its memory."""

    @property
    def room(self) -> int:
        """Bytes for tensors."""
        return max(0, self.memory - CONTEXT)


def _gpu(name: str, gib: float, tflops: float, gb_per_s: float) -> Gpu:
    return Gpu(name, int(gib * (1 << 30)), tflops * 1e12, gb_per_s * 1e9)


GPUS = {
    gpu.name: gpu
    for gpu in (
        _gpu("t4", 15, 65, 320),
        _gpu("v100-32g", 32, 125, 900),
        _gpu("a10g", 22.5, 70, 600),
        _gpu("l4", 22.5, 121, 300),
        _gpu("rtx4090", 24, 165, 1008),
        _gpu("l40s", 45, 362, 864),
        _gpu("a100-40g", 40, 312, 1555),
        _gpu("a100-80g", 80, 312, 2039),
        _gpu("h100-80g", 79.6, 989, 3350),
        _gpu("h200", 140, 989, 4800),
        _gpu("b200", 179, 2250, 8000),
        _gpu("mi300x", 192, 1307, 5300),
    )
}
"""Memory is what programs see, which is below the name's number on some; rates are those of the SXM or OAM form."""


def parse_gpus(names: str, memory: str = "") -> tuple[Gpu, ...]:
    """The GPUs of `--gpu a,b` and of `--gpu-memory 80G`.

    Raises:
        UsageError: no such GPU, or no amount of memory.
    """
    found = [] if not names.strip() else [_named(name.strip().lower()) for name in names.split(",")]
    if memory:
        size = parse_size(memory, "--gpu-memory")
        found.append(Gpu(size_text(size), size))
    return tuple(dict.fromkeys(found))


def _named(name: str) -> Gpu:
    if name not in GPUS:
        raise unknown("GPU", name, GPUS, "For another one give its memory: --gpu-memory 80G.")
    return GPUS[name]


def recognised(names: Sequence[str]) -> Gpu | None:
    """The GPU that a driver calls so, such as `NVIDIA H100 80GB HBM3`; None: not in the table."""
    for gpu in sorted(GPUS.values(), key=lambda gpu: -len(gpu.name)):  # an L40S is no L4
        model, _, size = gpu.name.partition("-")
        for said in (name.lower().replace(" ", "") for name in names):
            if model in said and (not size or f"{size}b" in said):
                return gpu
    return None
