"""What `lceval plan --explain` prints: every number's formula, with the model's own values put in, and its source."""

from __future__ import annotations

from collections.abc import Iterator

from lceval.costs.forecast import Forecast
from lceval.costs.gpus import CONTEXT
from lceval.costs.memory import alike
from lceval.costs.units import count_text, size_text
from lceval.describe_variants import hanging
from lceval.lengths import format_length


def explain(plan: Forecast) -> Iterator[str]:
    """Formulas at the longest length, in 80 columns."""
    shape, setting, at = plan.shape, plan.setting, plan.lengths[-1]
    n, b = at.length, setting.itemsize
    layers = shape.layers
    yield f"How the numbers come about, at n = {format_length(n)} = {n:,} tokens, b = {b} bytes a number"
    yield ""
    stored = f"{shape.bits} / 8 (quantized)" if shape.bits else f"{b}"
    yield from _line("weights", f"parameters · b = {shape.parameters:,} · {stored} = {size_text(at.memory.weights)}")
    yield from _line("", "counted from the configuration, matrix by matrix")
    for group in alike(shape, setting.variant):
        layer = layers[group.layers[0]]
        kept = "latent + rotary key" if shape.latent else "keys + values"
        numbers = layer.cached if shape.latent else f"{layer.kv_heads} heads · ({layer.qk_dim} + {layer.v_dim})"
        window = f", of the last {layer.window:,} tokens" if layer.window else ""
        yield from _line("KV cache", f"{len(group.layers)} layers · {numbers} ({kept}) · n · b{window}")
    yield from _line("", f"needed {size_text(at.kv_needed)}; held by this runner {size_text(at.memory.kv)}")
    yield from _line("", "GQA arXiv:2305.13245, MQA arXiv:1911.02150, MLA arXiv:2405.04434, kv(…) arXiv:2402.02750")
    chunk = min(setting.chunk, n)
    yield from _line("activations", f"of a chunk of {chunk:,} tokens: {size_text(at.memory.activations)}")
    yield from _line("", "the larger of attention and MLP: formula in lceval/costs/memory.py")
    yield from _line("logits", f"of one token: {shape.vocabulary:,} · (b + 4) = {size_text(at.memory.logits)}")
    heads, qk, v = layers[0].heads, layers[0].qk_dim, layers[0].v_dim
    yield from _line("QKᵀ", f"Σ layers 2 · {heads} heads · {qk} · pairs = {count_text(at.flops.qk, 'FLOP')}")
    yield from _line("PV", f"Σ layers 2 · {heads} heads · {v} · pairs = {count_text(at.flops.pv, 'FLOP')}")
    causal, all_pairs = count_text(n * (n + 1) / 2), count_text(n * n)
    yield from _line("", f"causal: pairs = n (n + 1) / 2 = {causal}, fewer in a window; without causality n² = {all_pairs}")
    yield from _line("linear", f"2 · n · {shape.active:,} + 2 · {shape.hidden} · {shape.vocabulary:,} for one row of logits")
    yield from _line("", f"= {count_text(at.flops.linear, 'FLOP')}; of experts, those that a token meets")
    yield from _line("scores", f"{max(each.heads for each in layers)} heads · n² · b = {size_text(at.scores)} a layer")
    yield from _line("", "never stored by FlashAttention (arXiv:2205.14135)")
    yield from _line("GPUs", "the least power of two N")
    yield from _line("", "tensor: weights, activations, logits / N, KV / min(N, KV heads) (arXiv:1909.08053)")
    yield from _line("", "context: KV and activations / N, weights and logits on each (arXiv:2310.01889)")
    yield from _line("", f"{size_text(CONTEXT)} of each GPU is left to the driver and libraries; rates are the data sheet's")
    yield from _line("time", "at best: max(FLOP / peak, bytes / bandwidth), the roofline (doi:10.1145/1498765.1498785)")
    yield from _line("", "--measure: a · n + b · n², a, b ≥ 0, fitted to measured prefills by least squares of relative errors")
    yield from _line("run", f"{plan.load.how}; shared: each distinct prefix once (lceval/tree.py)")
    if plan.price:
        yield from _line("money", f"prompt tokens · {plan.price.prompt:g} + new tokens · {plan.price.answer:g}, a million")


def _line(name: str, text: str) -> list[str]:
    return hanging(f"  {name:<13}", text)
