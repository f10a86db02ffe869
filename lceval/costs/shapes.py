"""The shape of a decoder: what its memory and its arithmetic follow from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer, in numbers (of a dtype that is not its business)."""

    heads: int
    """Query heads."""
    kv_heads: int
    """Key/value heads: as many as `heads` in MHA, fewer in GQA, one in MQA."""
    qk_dim: int
    """Of one query and one key."""
    v_dim: int
    """Of one value."""
    cached: int
    """Numbers that a token leaves in the KV cache; the latent and the rotary key in MLA."""
    window: int | None
    """Latest keys that a query sees, its own included; None: all."""
    attention: int
    """Numbers in the matrices of attention; each is multiplied once for a token."""
    mlp: int
    """Numbers in the matrices of the MLP, those of all experts and of the router included."""
    active: int
    """Of these, the ones that one token meets."""
    width: int
    """Numbers between the MLP's matrices that one token has at a time: gate, up and their product."""
    small: int
    """Biases and norms."""

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.attention + self.mlp + self.small


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder with its embeddings and its head."""

    name: str
    model_type: str
    hidden: int
    """Numbers of the residual stream."""
    vocabulary: int
    layers: tuple[Layer, ...]
    tied: bool
    """Whether the head is the embedding matrix."""
    positions: int
    """Rows of a table of learned positions; 0 with RoPE."""
    small: int
    """Numbers of the last norm."""
    bits: int
    """Of a stored weight, where the checkpoint is quantized; 0: the dtype's."""
    trained: int | None
    """Tokens that it was trained for, or that its RoPE scaling stretches that to; None: not said."""

    @property
    def parameters(self) -> int:
        """All weights; of a model that also sees or hears, only those of its decoder."""
        tables = self.vocabulary * (1 if self.tied else 2) + self.positions
        return tables * self.hidden + self.small + sum(layer.parameters for layer in self.layers)

    @property
    def active(self) -> int:
        """Numbers in the matrices that one token meets in all layers, without the head."""
        return sum(layer.attention + layer.active for layer in self.layers)

    @property
    def latent(self) -> bool:
        """Whether a latent is cached, from which keys and values are made (MLA)."""
        return any(layer.cached < layer.kv_heads * (layer.qk_dim + layer.v_dim) for layer in self.layers)

    @property
    def attention(self) -> str:
        """How keys and values are shared, by name."""
        layer = self.layers[0]
        if self.latent:
            kind = "MLA"
        elif layer.kv_heads == layer.heads:
            kind = "MHA"
        else:
            kind = "MQA" if layer.kv_heads == 1 else "GQA"
        windows = [each.window for each in self.layers if each.window]
        if not windows:
            return kind
        return f"{kind}, {len(windows)} of {len(self.layers)} layers with a window of {max(windows):,}"
