"""What a run is asked to do: from the command line, a YAML file, or Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lceval.errors import UsageError, unknown
from lceval.lengths import check_depths, check_lengths, check_positions, format_length, parse_depths, parse_lengths, parse_positions
from lceval.registry import members

DEFAULT_DEPTHS = tuple(i / 10 for i in range(11))
DEFAULT_SAMPLES = 10


class RunConfig(BaseModel):
    """Everything that `lceval run` takes; the YAML file of `--config` has the same names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: tuple[str, ...] = Field(min_length=1)
    """Groups such as `ruler` stand for their members."""
    model: str
    runner: str = ""
    """Empty: `control` for `control:…` models, else `hf`."""
    variant: str = ""
    """What is changed of the model, spelled out: `yarn(4)+window(2048)`. Empty: nothing."""
    lengths: tuple[int, ...] = Field((4096, 8192, 16384, 32768), min_length=1)
    depths: tuple[float, ...] | None = Field(None, min_length=1)
    """None: 0, 0.1, … 1, or none at all where the task's parameters place every needle."""
    positions: tuple[int, ...] | None = Field(None, min_length=1)
    """Prompt tokens at which needles stand in every length that holds them, instead of depths."""
    one_pass: bool = False
    """Plant the needles of all depths, or positions, in one context, and ask one question about each."""
    samples: int = Field(DEFAULT_SAMPLES, ge=1)
    seed: int = Field(0, ge=0)
    task_params: dict[str, Any] = Field(default_factory=dict)
    model_options: dict[str, Any] = Field(default_factory=dict)
    out: Path | None = None
    """None: `runs/<model>`."""
    shard: tuple[int, int] = (1, 1)
    workers: int = Field(0, ge=0)
    """Ray workers, each with a model of its own. 0: this process does the work, or with `ray` as many as its GPUs have room for."""
    ray: str = ""
    """Address of the Ray cluster to join; `auto`: the one that runs here. Empty: start one on this machine."""
    cold: bool = False
    verify_prefix: int = Field(0, ge=0)
    allow_beyond_window: bool = False
    save_prompts: bool = False

    @field_validator("tasks", mode="before")
    @classmethod
    def _tasks(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("tasks")
    @classmethod
    def _expanded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(task for name in value for task in members(name)))

    @field_validator("variant")
    @classmethod
    def _variant(cls, value: str) -> str:
        from lceval.runners.variants.spec import parse

        return str(parse(value))

    @field_validator("lengths", mode="before")
    @classmethod
    def _lengths(cls, value: Any) -> Any:
        return parse_lengths(str(value)) if isinstance(value, str | int) else value

    @field_validator("depths", mode="before")
    @classmethod
    def _depths(cls, value: Any) -> Any:
        return parse_depths(str(value)) if isinstance(value, str | int | float) else value

    @field_validator("positions", mode="before")
    @classmethod
    def _positions(cls, value: Any) -> Any:
        return parse_positions(str(value)) if isinstance(value, str | int) else value

    @field_validator("shard", mode="before")
    @classmethod
    def _shard(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        part, slash, parts = value.partition("/")
        if not (slash and part.isdecimal() and parts.isdecimal()):
            raise UsageError(f"cannot read --shard {value!r}; write i/n, such as 1/4.")
        return int(part), int(parts)

    @field_validator("task_params", "model_options", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        return {} if value is None else value

    @classmethod
    def checked(cls, **values: Any) -> RunConfig:
        """A config from outside data, in any form that the command line takes.

        Raises:
            UsageError: naming the setting, the value seen and what it should be.
        """
        for name in values:
            if name not in cls.model_fields:
                raise unknown("setting", name, cls.model_fields)
        try:
            config = cls(**values)
        except ValidationError as error:
            problem = error.errors()[0]
            if isinstance(reason := problem.get("ctx", {}).get("error"), UsageError):
                raise reason from None
            raise UsageError(f"{'.'.join(map(str, problem['loc']))}={problem['input']!r}: {problem['msg']}.") from None
        check_lengths(config.lengths)
        if config.depths is not None:
            check_depths(config.depths)
        if config.positions is not None:
            check_positions(config.positions)
        if config.depths is not None and config.positions is not None:
            raise UsageError(
                f"--depths {', '.join(f'{d:g}' for d in config.depths)} and --positions "
                f"{', '.join(map(format_length, config.positions))} both say where needles go; give one of them."
            )
        if not 1 <= config.shard[0] <= config.shard[1]:
            raise UsageError(f"--shard {config.shard[0]}/{config.shard[1]} is not one of n parts; write i/n with 1 <= i <= n.")
        return config

    @property
    def runner_name(self) -> str:
        """The runner, chosen from the model where it is not given."""
        return self.runner or ("control" if self.model.startswith("control:") else "hf")

    @property
    def on_ray(self) -> bool:
        """Whether Ray workers do the work."""
        return bool(self.workers or self.ray)

    @property
    def folder(self) -> Path:
        """Where the run is stored."""
        from lceval.models import slug

        return self.out or Path("runs") / "+".join(filter(None, (slug(self.model), _variant_slug(self.variant))))


def _variant_slug(variant: str) -> str:
    from lceval.models import slug

    return slug(variant.replace("/", "-").replace(",", "_")) if variant else ""


def configs_of(settings: Mapping[str, Any]) -> list[RunConfig]:
    """A config for each of the `variants` in some settings; one if there are none.

    Several are stored in folders of their own, named after them, in `out` or `runs/<model>-variants`.

    Raises:
        UsageError: as `RunConfig.checked`; variants that are no list, or that are the same.
    """
    from lceval.models import slug
    from lceval.runners.variants.spec import parse

    rest = {name: value for name, value in settings.items() if name != "variants"}
    variants = settings.get("variants")
    if variants is None:
        return [RunConfig.checked(**rest)]
    if isinstance(variants, str) or not isinstance(variants, Sequence) or not variants:
        raise UsageError(f"variants={variants!r} is no list of variants; write one such as [none, yarn(4), window(2k)].")
    if rest.get("variant"):
        raise UsageError(
            f"variant={rest['variant']!r} and variants={list(variants)!r} are both given; put all of them into variants."
        )
    texts = [str(parse(str(variant or ""))) for variant in variants]
    for n, text in enumerate(texts):
        if text in texts[:n]:
            first, again = variants[texts.index(text)], variants[n]
            raise UsageError(f"the variants {first!r} and {again!r} are the same: {text or 'none'}. Name each once.")
    if len(texts) == 1:
        return [RunConfig.checked(**rest, **{"variant": texts[0]} if texts[0] else {})]
    folder = Path(rest.get("out") or Path("runs") / f"{slug(str(rest.get('model', '')))}-variants")
    return [RunConfig.checked(**{**rest, "variant": text, "out": folder / (_variant_slug(text) or "none")}) for text in texts]


def read_variants(file: Path) -> list[str]:
    """The variants in a file, one a line; what follows a # is not read.

    Raises:
        UsageError: no such file, not text, or no variants in it.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read the file of variants {str(file)!r}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the file of variants {str(file)!r} is not UTF-8 text: {error}.") from None
    found = [text for line in lines if (text := line.partition("#")[0].strip())]
    if not found:
        raise UsageError(
            f"the file {str(file)!r} names no variants; write one a line, such as yarn(4), or none for the model as it is."
        )
    return found


def read_config(file: Path) -> dict[str, Any]:
    """The settings in a YAML file, as they stand there.

    Raises:
        UsageError: no such file, not YAML, or not a mapping.
    """
    import yaml

    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the config file {str(file)!r}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"the config file {str(file)!r} is not YAML: {error}.") from None
    if not isinstance(values, dict):
        raise UsageError(f"the config file {str(file)!r} holds a {type(values).__name__}, not a mapping of settings to values.")
    return values
