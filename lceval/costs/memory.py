"""Bytes: weights, KV cache, activations, logits.

    weights      parameters · itemsize
    KV cache     Σ_layers cached numbers of a token · tokens held · itemsize
    activations  of one chunk of c tokens, the larger one of
                   attention   c · ((h + 5 H d) itemsize + 12 H d)      queries twice, own keys and values repeated, an output, and
                                                                        three float32 copies while two outputs are merged
                   MLP         c · (2 h + w) itemsize                   w: gate, up and product
                 and the residual stream, c · h · itemsize
    logits       of one token: V · (itemsize + 4)

with h the residual stream, H query heads of d numbers, V the vocabulary. Attention in chunks is lceval's own
(`runners/attention.py`); where a model keeps the stock one, keys and values are repeated for every query head, and a mask
takes c · n bytes; under a variant that changes attention, one layer's keys are turned, and its values decoded, for each pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from lceval.costs.families import PLAIN
from lceval.costs.gpus import Gpu
from lceval.costs.shapes import Layer, Shape
from lceval.runners.variants.held import Alike, Attention, in_scope, own_bytes, variant_bytes
from lceval.runners.variants.spec import Atom, Spec

ITEMSIZE = {"float32": 4, "bfloat16": 2, "float16": 2}
CHUNK_ON_CPU, CHUNK_ON_GPU = 512, 16_384
"""Tokens of a forward pass of the runner `hf`, where nothing else is asked for."""
MOST_GPUS = 1 << 14
MOST_TOKENS = 1 << 30


@dataclass(frozen=True, slots=True)
class Setting:
    """How a model is run."""

    dtype: str = "bfloat16"
    chunk: int = CHUNK_ON_GPU
    """Tokens of a forward pass."""
    variant: Spec = field(default_factory=Spec)
    walks: bool = True
    """Whether the cache can return to branch points (runner `hf`): then keys that nobody sees any more are held as well."""

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return ITEMSIZE[self.dtype]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, at one length."""

    weights: int
    kv: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All of it: the peak while a prompt is read."""
        return self.weights + self.kv + self.activations + self.logits


def memory(shape: Shape, length: int, setting: Setting) -> Memory:
    """What one context of a length takes on one device.

    Args:
        shape: the model's.
        length: tokens of prompt and answer.
        setting: how it is run.
    """
    return Memory(
        weights=weight_bytes(shape, setting),
        kv=kv_held(shape, length, setting),
        activations=activations(shape, length, setting),
        logits=shape.vocabulary * (setting.itemsize + 4),
    )


def weight_bytes(shape: Shape, setting: Setting) -> int:
    """Bytes of all weights, in the dtype of the run or as they are quantized in the checkpoint."""
    return shape.parameters * (shape.bits or 8 * setting.itemsize) // 8


@lru_cache(maxsize=64)
def alike(shape: Shape, variant: Spec) -> tuple[Alike, ...]:
    """The layers of a shape, those together of which a variant makes the same.

    Raises:
        UsageError: the variant is for layers that the model does not have.
    """
    kinds = ["sliding" if layer.window else "full" for layer in shape.layers]
    found: dict[tuple[Layer, tuple[Atom, ...]], list[int]] = {}
    for index, layer in enumerate(shape.layers):
        atoms = tuple(atom for atom in variant.atoms if in_scope(atom, index, kinds))
        found.setdefault((layer, atoms), []).append(index)
    return tuple(
        Alike(
            tuple(indices),
            Attention(
                rotates=not shape.positions,
                window=layer.window,
                kind=None,
                heads=layer.kv_heads,
                head_dim=layer.qk_dim,
                size=layer.cached,
            ),
            atoms,
        )
        for (layer, atoms), indices in found.items()
    )


def kv_needed(shape: Shape, length: int, setting: Setting) -> int:
    """Bytes of the keys and values that the last query or a later one may see."""
    return round(sum(len(group.layers) * variant_bytes(group, length, setting.itemsize) for group in alike(shape, setting.variant)))


def kv_own(shape: Shape, length: int, setting: Setting) -> int:
    """The same of the model without a variant."""
    return round(sum(len(group.layers) * own_bytes(group, length, setting.itemsize) for group in alike(shape, Spec())))


def kv_held(shape: Shape, length: int, setting: Setting) -> int:
    """Bytes that the cache takes: with `walks`, only what is evicted or quantized is not held whole."""
    if not setting.walks:
        return kv_needed(shape, length, setting)
    held = 0.0
    for group in alike(shape, setting.variant):
        saving = tuple(atom for atom in group.atoms if atom.kind.group in ("keep", "store"))
        if any(atom.name in ("snapkv", "pyramid") for atom in saving):  # they choose when all is read
            saving = ()
        free = replace(group.attention, window=None)
        held += len(group.layers) * variant_bytes(Alike(group.layers, free, saving), length, setting.itemsize)
    return round(held)


def activations(shape: Shape, length: int, setting: Setting) -> int:
    """Peak bytes of one forward pass over a chunk, beside weights, cache and logits."""
    tokens, size = min(setting.chunk, length), setting.itemsize
    hooks = setting.variant.hooks
    stock = not hooks and (shape.model_type not in PLAIN or any(layer.window for layer in shape.layers))

    def layer_bytes(layer: Layer) -> int:
        queries = layer.heads * max(layer.qk_dim, layer.v_dim)
        attention = tokens * ((shape.hidden + 5 * queries) * size + 12 * queries)
        if stock:
            repeated = layer.heads * (layer.qk_dim + layer.v_dim) * size if layer.kv_heads < layer.heads else 0
            attention += length * (repeated + (tokens if tokens < length else 0))
        if hooks:
            attention += length * layer.cached * size
        return max(attention, tokens * (2 * shape.hidden + layer.width) * size)

    return tokens * shape.hidden * size + max(layer_bytes(layer) for layer in set(shape.layers))


def gpus_needed(shape: Shape, length: int, setting: Setting, gpu: Gpu, *, split: str) -> int | None:
    """How many GPUs, a power of two, one context takes; None: no number up to `MOST_GPUS` is enough.

    Args:
        shape: the model's.
        length: tokens.
        setting: how it is run.
        gpu: one of them.
        split: `tensor` (weights and heads are divided; each key/value head is on one GPU at least, a latent on all) or `context`
            (tokens are divided, weights are on all).
    """
    whole = memory(shape, length, setting)
    heads = 1 if shape.latent else min(layer.kv_heads for layer in shape.layers)
    count = 1
    while count <= MOST_GPUS:
        if split == "tensor":
            need = whole.weights / count + whole.kv / min(count, heads) + whole.activations / count + whole.logits / count
        else:
            need = whole.weights + whole.kv / count + whole.activations / count + whole.logits
        if need <= gpu.room:
            return count
        count *= 2
    return None


def longest_that_fits(shape: Shape, setting: Setting, gpu: Gpu) -> int:
    """The longest context, in tokens, that one GPU holds with the weights; 0: not even they fit.

    Args:
        shape: the model's.
        setting: how it is run.
        gpu: the GPU.
    """
    low, high = 0, MOST_TOKENS
    while low < high:
        middle = (low + high + 1) // 2
        if memory(shape, middle, setting).total <= gpu.room:
            low = middle
        else:
            high = middle - 1
    return low
