import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from lceval.errors import UsageError
from lceval.options import parse_pairs, validated


class Knobs(BaseModel):
    keys: int = Field(1, ge=1)
    haystack: str = "prose"
    shout: bool = False

    @field_validator("haystack")
    @classmethod
    def _known(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("there is no such haystack")
        return value

    @model_validator(mode="after")
    def _together(self) -> "Knobs":
        if self.shout and self.keys > 3:
            raise ValueError("shouting takes at most 3 keys")
        return self


@pytest.mark.parametrize(
    ("pairs", "values"),
    [
        ([], {}),
        (["keys=4"], {"keys": "4"}),
        (["keys=4", "haystack=noise"], {"keys": "4", "haystack": "noise"}),
        (["haystack=path:a=b"], {"haystack": "path:a=b"}),
        (["needle="], {"needle": ""}),
    ],
)
def test_pairs_are_read(pairs: list[str], values: dict[str, str]) -> None:
    assert parse_pairs(pairs, "-T") == values


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["keys"], "cannot read -T 'keys'; write -T NAME=VALUE"),
        (["=4"], "cannot read -T '=4'"),
        ([""], "cannot read -T ''"),
        (["keys=1", "keys=2"], r"-T keys= is given twice \('1' and '2'\)"),
    ],
)
def test_pairs_that_are_none_are_refused(pairs: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_pairs(pairs, "-T")


def test_values_become_their_types_and_the_rest_keeps_its_default() -> None:
    knobs = validated(Knobs, {"keys": "2", "shout": "true"}, what="parameter")
    assert (knobs.keys, knobs.shout, knobs.haystack) == (2, True, "prose")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"key": "4"}, "unknown parameter of x 'key'. Did you mean 'keys'? Available: haystack, keys, shout."),
        ({"zzz": "4"}, "unknown parameter of x 'zzz'. Available: haystack, keys, shout."),
        ({"keys": "many"}, "parameter of x keys='many': Input should be a valid integer"),
        ({"keys": "0"}, "parameter of x keys='0': Input should be greater than or equal to 1"),
        ({"haystack": "bad"}, "parameter of x haystack='bad': there is no such haystack."),
        ({"keys": "9", "shout": "yes"}, "parameter of x: shouting takes at most 3 keys."),
    ],
)
def test_values_that_do_not_fit_are_told_by_name_value_and_reason(values: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as error:
        validated(Knobs, values, what="parameter of x")
    assert says in str(error.value)
    assert error.value.exit_code == 2


class Window(BaseModel):
    window: int
    strength: float = 1


def test_a_missing_value_is_asked_for_by_name() -> None:
    with pytest.raises(UsageError) as error:
        validated(Window, {"strength": "0.5"}, what="setting of x")
    assert "window" in str(error.value)
    assert "required" in str(error.value)
    assert "strength" not in str(error.value)
