"""What `lceval plan` prints, and the short form before a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lceval.costs.memory import weight_bytes
from lceval.costs.units import count_text, seconds_text, short_size, size_text
from lceval.lengths import format_length

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lceval.costs.forecast import AtLength, Forecast, OnGpu

NONE = "–"


def print_forecast(plan: Forecast, console: Console) -> None:
    """The model, a table of memory, one of arithmetic and time, what variants save, and the run."""
    for line in _model(plan):
        console.print(line, markup=False, soft_wrap=False)
    for table in (_memory(plan), _computation(plan), _savings(plan)):
        if table.row_count:
            console.print()
            console.print(table)
    console.print()
    for line in _run(plan):
        console.print(line, markup=False, soft_wrap=False)


def short(plan: Forecast) -> Iterator[str]:
    """Two lines before a run starts."""
    at, load = plan.lengths[-1], plan.load
    fewer = load.one_by_one.tokens / max(1, load.shared.tokens)
    seconds = plan.seconds()["shared"]
    best = f"; at best {seconds_text(seconds)}" if seconds else ""
    tokens = f"{count_text(load.shared.tokens)} tokens to read, one by one {fewer:.1f} times as many"
    yield f"plan: {load.prompts:,} prompts, {tokens}{best}"
    held, room = at.memory, "".join(f" of {size_text(on.gpu.memory)}" for on in at.gpus)
    parts = f"{size_text(held.weights)} weights + {size_text(held.kv)} KV cache + {size_text(held.activations)} activations"
    yield f"      {format_length(at.length)} takes {parts} = {size_text(held.total)}{room}"


def _model(plan: Forecast) -> Iterator[str]:
    shape, setting = plan.shape, plan.setting
    layer = shape.layers[0]
    active = shape.active + shape.hidden * shape.vocabulary
    sparse = f", {count_text(active)} of them for a token" if active < 0.8 * shape.parameters else ""
    trained = f"; trained for {format_length(shape.trained)} tokens" if shape.trained else ""
    yield (
        f"{shape.name}: {count_text(shape.parameters)} parameters{sparse}; {len(shape.layers)} layers, {layer.heads} heads, "
        f"{layer.kv_heads} for keys and values ({shape.attention}){trained}"
    )
    variant = f"; variant {setting.variant}" if setting.variant.atoms else ""
    yield (
        f"weights {size_text(weight_bytes(shape, setting))} in {_dtype(plan)}; KV cache {size_text(_per_token(plan))} a token; "
        f"chunks of {min(setting.chunk, plan.lengths[-1].length):,} tokens{variant}"
    )
    if plan.overtaken is None:
        yield "attention never takes more FLOPs than the matrices do"
    else:
        yield f"attention takes more FLOPs than the matrices do from {plan.overtaken:,} tokens on"
    if plan.longest:
        each = (f"{gpu.name} {f'{tokens:,} tokens' if tokens else 'not even the weights'}" for gpu, tokens in plan.longest)
        yield f"the longest context that fits on one GPU: {'; '.join(each)}"
    if shape.trained and (beyond := [at.length for at in plan.lengths if at.length > shape.trained]):
        yield f"note: {', '.join(map(format_length, beyond))} lie beyond the window of {format_length(shape.trained)}"
    last = plan.lengths[-1]
    if last.kv_needed < 0.99 * last.memory.kv:
        yield (
            f"note: of the KV cache at {format_length(last.length)} only {size_text(last.kv_needed)} can still be seen; the "
            "runner hf holds all of it, to return to branch points"
        )


def _dtype(plan: Forecast) -> str:
    return f"{plan.shape.bits}-bit numbers" if plan.shape.bits else plan.setting.dtype


def _per_token(plan: Forecast) -> int:
    return sum(layer.cached for layer in plan.shape.layers) * plan.setting.itemsize


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _memory(plan: Forecast) -> Table:
    """Bytes of one context; how many GPUs it takes."""
    gpus = [gpu for gpu, _ in plan.longest]
    title = "Memory of one context, bytes" + ("; GPUs with tensor / context parallelism" if gpus else "")
    table = _table(title, "length", "KV", "activ.", "sum*", "scores**", *(gpu.name for gpu in gpus))
    for at in plan.lengths:
        sizes = map(short_size, (at.memory.kv, at.memory.activations, at.memory.total, at.scores))
        table.add_row(format_length(at.length), *sizes, *(f"{on.tensor or NONE}/{on.context or NONE}" for on in at.gpus))
    table.caption = "* with weights and logits  ** of one layer, which FlashAttention never stores"
    table.caption_justify = "left"
    return table


def _computation(plan: Forecast) -> Table:
    """Operations of one prefill, and how long it takes."""
    timed = [on.gpu for on in plan.lengths[0].gpus if on.gpu.flops]
    title = "FLOPs of reading one prompt, causal" + ("; seconds to the first token, at best" if timed else "")
    fit = plan.measured.fit if plan.measured else None
    names = [*(["by fit"] if fit else []), *(gpu.name for gpu in timed)]
    table = _table(title, "length", "QKᵀ", "PV", "linear", "attn/linear", *names)
    for at in plan.lengths:
        work = at.flops
        fitted = [seconds_text(fit.seconds(at.length))] if fit else []
        numbers = map(count_text, (work.qk, work.pv, work.linear))
        ratio = f"{work.attention / work.linear:.3g}"
        table.add_row(format_length(at.length), *numbers, ratio, *fitted, *(_seconds(on) for on in at.gpus if on.gpu.flops))
    return table


def _seconds(on: OnGpu) -> str:
    return NONE if on.prefill_s is None else seconds_text(on.prefill_s)


def _savings(plan: Forecast) -> Table:
    length = format_length(plan.lengths[-1].length)
    table = _table(f"What variants take at {length}", "variant", "KV needed", "KV held", "attention", "activations")
    table.columns[0].justify = "left"
    for saving in plan.savings:
        work = count_text(saving.attention, "FLOP")
        table.add_row(saving.variant, size_text(saving.needed), size_text(saving.held), work, size_text(saving.activations))
    return table


def _run(plan: Forecast) -> Iterator[str]:
    load, seconds, money = plan.load, plan.seconds(), plan.money()
    yield f"The run: {', '.join(plan.tasks)}, {load.prompts:,} prompts ({load.how})"
    fewer = load.one_by_one.tokens / max(1, load.shared.tokens)
    less = load.one_by_one.squares / max(1, load.shared.squares)
    yield f"  {'one by one':>18}{'shared':>14}"
    yield f"  {'tokens':<8}{count_text(load.one_by_one.tokens):>10}{count_text(load.shared.tokens):>14}   {fewer:.2f} times fewer"
    pairs = (count_text(work.squares / 2) for work in (load.one_by_one, load.shared))
    yield "  {:<8}{:>10}{:>14}   {:.2f} times fewer".format("pairs", *pairs, less)
    if seconds["shared"] and seconds["one_by_one"]:
        how = _how(plan, plan.lengths[-1])
        yield f"  {'time':<8}{seconds_text(seconds['one_by_one']):>10}{seconds_text(seconds['shared']):>14}   {how}"
    if money:
        yield f"  {'money':<8}{money['one_by_one']:>10,.2f}{money['shared']:>14,.2f}   with {count_text(load.answers)} new tokens"
    if plan.measured:
        fit = plan.measured.fit
        yield (
            f"  fit on {plan.measured.where}: {fit.linear:.3g} s a token + {fit.square:.3g} s a token², residual "
            f"{fit.residual:.1%} over {len(fit.points)} lengths"
        )


def _how(plan: Forecast, last: AtLength) -> str:
    if plan.measured:
        return "by the measured prefill"
    on = next(on for on in last.gpus if on.prefill_s is not None)
    return f"at best, on {min(n for n in (on.tensor, on.context) if n)} {on.gpu.name}"
