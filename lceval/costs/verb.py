"""From a config to its forecast: for `lceval plan`, before any weights, and for a run that is about to start."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lceval.config import RunConfig
from lceval.costs.configs import read_config, shape_of
from lceval.costs.forecast import Forecast, Price, forecast, parse_price, setting_of
from lceval.costs.gpus import Gpu, parse_gpus, recognised
from lceval.costs.memory import CHUNK_ON_CPU, CHUNK_ON_GPU, ITEMSIZE, Setting, kv_held, weight_bytes
from lceval.costs.samples import estimated
from lceval.costs.shapes import Shape
from lceval.costs.units import size_text
from lceval.errors import CannotFit, ModelError, UsageError, unknown
from lceval.lengths import format_length
from lceval.runners.variants.held import check_fits
from lceval.runners.variants.spec import Spec, parse

if TYPE_CHECKING:
    from lceval.planning import Plan
    from lceval.types import Runner

_COUNT = ("dtype", "device", "prefill_chunk", "revision")
"""Options of runners that change a plan."""


def plan(
    tasks: str | Sequence[str],
    model: str,
    *,
    gpu: str = "",
    gpu_memory: str = "",
    price: str = "",
    measure: bool = False,
    task_params: Mapping[str, Any] | None = None,
    model_options: Mapping[str, Any] | None = None,
    note: Callable[[str], None] = warnings.warn,
    **settings: Any,
) -> Forecast:
    """What a run would cost: memory, arithmetic, time and money. Reads the model's configuration only, unless it is to `measure`.

    Args:
        tasks: one task or several.
        model: as for `run`, or a bundled shape such as `llama-3.1-405b` (`lceval.costs.bundled`).
        gpu: names of GPUs, joined by commas: `"h100-80g,h200"` (`lceval.costs.gpus`).
        gpu_memory: memory of another GPU: `"80G"`.
        price: of a million tokens: `"2.50"`, or `"2.50,10"` for prompts and answers.
        measure: load the model, read prompts of two or three lengths, and forecast the time from theirs.
        task_params: `-T` pairs.
        model_options: `-M` pairs; `dtype`, `device` and `prefill_chunk` count here.
        note: told what is being measured.
        settings: the other fields of `lceval.config.RunConfig`.

    Raises:
        LcevalError: anything the user can mend.
    """
    config = RunConfig.checked(
        tasks=tasks, model=model, task_params=dict(task_params or {}), model_options=dict(model_options or {}), **settings
    )
    return _planned(config, parse_gpus(gpu, gpu_memory), parse_price(price), measure=measure, note=note)


def _planned(config: RunConfig, on: Sequence[Gpu], price: Price | None, *, measure: bool, note: Callable[[str], None]) -> Forecast:
    if measure:
        return _measured(config, on, price, note)
    for name in config.model_options:
        if name not in _COUNT:
            raise unknown("-M option of a plan", name, _COUNT, "Others change nothing that is planned; leave them out.")
    shape, setting = shape_of(config.model, revision=str(config.model_options.get("revision", ""))), setting_for(config)
    _check_variant(shape, setting.variant)
    return forecast(config.tasks, shape, setting, config.lengths, estimated(config), gpus=on, price=price)


def _check_variant(shape: Shape, variant: Spec) -> None:
    """Refuse what the model could not be run with.

    Raises:
        ModelError: a model without RoPE, or with keys that are made from a latent; groups that its heads do not consist of.
    """
    if any(atom.kind.group != "order" for atom in variant.atoms) and (shape.positions or (shape.latent and variant.hooks)):
        why = "has no RoPE" if shape.positions else "caches a latent instead of keys and values"
        raise ModelError(f"variant {variant}: {shape.name} {why}, so it cannot have variants. Leave it out.")
    for atom in variant.of("store"):
        check_fits(atom, shape.layers[0].qk_dim, shape.model_type)


def _measured(config: RunConfig, on: Sequence[Gpu], price: Price | None, note: Callable[[str], None]) -> Forecast:
    from lceval import engine
    from lceval.costs.measure import measured
    from lceval.planning import Plan

    runner = engine.make_runner(config)
    if runner.control or config.runner_name == "endpoint":
        raise UsageError(
            f"--measure times the prefill of a model on this machine; {config.runner_name} has none. Leave it out, or name a "
            "model for the runners hf or vllm."
        )
    plan = Plan(config, runner.tokenizer)
    found = measured(config, runner, plan, note)
    setting = getattr(runner, "setting", None) or setting_for(config)
    shape = shape_of(config.model, revision=str(config.model_options.get("revision", "")))
    return forecast(config.tasks, shape, setting, config.lengths, plan.load, gpus=on, price=price, measured=found)


def setting_for(config: RunConfig) -> Setting:
    """How a config's model would be run, its runner not being made: on a GPU, unless it says otherwise.

    Raises:
        UsageError: a dtype or a chunk that is none.
    """
    on_cpu = config.model_options.get("device") == "cpu"
    dtype = str(config.model_options.get("dtype", "auto"))
    if dtype == "auto":
        dtype = "float32" if on_cpu else "bfloat16"
    if dtype not in ITEMSIZE:
        raise UsageError(f"-M dtype={dtype} is not one of auto, {', '.join(ITEMSIZE)}.")
    chunk = str(config.model_options.get("prefill_chunk", 0))
    if not chunk.isdecimal():
        raise UsageError(f"-M prefill_chunk={chunk} is no number of tokens; it takes a whole number, or 0 for the runner's own.")
    spec = parse(config.variant)
    default = CHUNK_ON_CPU if on_cpu else CHUNK_ON_GPU
    setting = Setting(dtype, int(chunk) or default, walks=config.runner_name == "hf")
    setting = setting_of(setting, spec)
    return setting if spec.prefix_stable else Setting(dtype, max(config.lengths), spec, setting.walks)


def of_run(plan: Plan, runner: Runner) -> Forecast | None:
    """The forecast of a run that is about to start; None where the model's shape is not known (an endpoint, a control).

    Args:
        plan: what is left to do.
        runner: what will do it.
    """
    from lceval.environment import gpus

    shape, setting = shape_in(runner), getattr(runner, "setting", None)
    if shape is None or not isinstance(setting, Setting):
        return None
    gpu = recognised(gpus())
    return forecast(plan.config.tasks, shape, setting, plan.config.lengths, plan.load, gpus=[gpu] if gpu else [])


def shape_in(runner: Runner) -> Shape | None:
    """The shape of a runner's model, from the configuration in its folder."""
    folder = getattr(runner, "folder", None)
    file = Path(folder) / "config.json" if folder else None
    if file is None or not file.exists():
        return None
    try:
        return read_config(json.loads(file.read_text(encoding="utf-8")), runner.model)
    except (ModelError, ValueError):
        return None


def check_memory(plan: Plan, runner: Runner) -> None:
    """Refuse, before any weights are loaded, what cannot fit: weights and cache alone are more than all memory of the GPUs.

    Raises:
        CannotFit: with the numbers, and the lengths that fit.
    """
    room, setting, shape = getattr(runner, "room", None), getattr(runner, "setting", None), shape_in(runner)
    if room is None or shape is None or not isinstance(setting, Setting) or not plan.pending:
        return
    weights, longest = weight_bytes(shape, setting), max(plan.pending_by_length)
    kv = kv_held(shape, longest, setting)
    if weights + kv <= room:
        return
    fit = [length for length in plan.config.lengths if weights + kv_held(shape, length, setting) <= room]
    if fit:
        way_out = f"Ask for --lengths up to {format_length(fit[-1])}, take a variant such as kv(int4), or more GPUs with -M"
        way_out += " context_parallel=N or device=balanced."
    else:
        way_out = "The weights leave no room for any of the lengths: spread them over more GPUs with -M device=balanced."
    raise CannotFit(
        f"{runner.model} with a context of {format_length(longest)} takes {size_text(weights)} of weights and {size_text(kv)} of "
        f"KV cache in {setting.dtype}, and the GPU memory is {size_text(room)}. {way_out}"
    )
