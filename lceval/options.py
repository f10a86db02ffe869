"""`-T` and `-M` pairs: text from outside, checked against a pydantic model, with errors a user can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lceval.errors import UsageError, unknown

M = TypeVar("M", bound=BaseModel)


def parse_pairs(pairs: Sequence[str], flag: str) -> dict[str, str]:
    """`["keys=4", "haystack=noise"]` -> `{"keys": "4", "haystack": "noise"}`.

    Raises:
        UsageError: a pair without `=`, or one name twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"cannot read {flag} {pair!r}; write {flag} NAME=VALUE.")
        if name in values:
            raise UsageError(f"{flag} {name}= is given twice ({values[name]!r} and {value!r}); give it once.")
        values[name] = value
    return values


def validated(model: type[M], values: Mapping[str, Any], *, what: str) -> M:
    """`model` made from `values`.

    Args:
        model: a pydantic model.
        values: names and values as the user wrote them.
        what: what they are, for the message: "parameter of niah".

    Raises:
        UsageError: a name that does not exist (with the nearest ones), or a value that does not fit.
    """
    for name in values:
        if name not in model.model_fields:
            raise unknown(what, name, model.model_fields)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(map(str, problem["loc"]))
        reason = problem["msg"].removeprefix("Value error, ")
        seen = f"={problem['input']!r}" if problem["type"] != "missing" else ""
        raise UsageError(f"{what} {name}{seen}: {reason}." if name else f"{what}: {reason}.") from None
