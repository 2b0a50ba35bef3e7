"""What a user meant, where no such name is known."""

from __future__ import annotations

import pytest

from volr.checks.names import named
from volr.errors import DataError

KNOWN = {"nest": 1, "pynn.nest": 2, "Torch": 3}


@pytest.mark.parametrize(
    ("said", "meant"), [("NEST", "nest"), ("PyNN.Nest", "pynn.nest"), ("torch", "Torch")]
)
def test_a_name_in_another_case_is_understood(said: str, meant: str) -> None:
    with pytest.raises(DataError, match=f"there is no thing '{said}'") as caught:
        named("thing", said, KNOWN, DataError)
    assert f"did you mean '{meant}'? choose one of nest, " in (caught.value.help or "")


def test_a_name_that_is_like_none_has_no_guess() -> None:
    assert named("thing", "Torch", KNOWN, DataError) == 3
    with pytest.raises(DataError) as caught:
        named("thing", "quartz", KNOWN, DataError)
    assert caught.value.help == "choose one of nest, pynn.nest, Torch"


@pytest.mark.parametrize("given", [None, 5, ["nest"], {"a": 1}])
def test_what_is_no_text_is_no_name(given: object) -> None:
    with pytest.raises(DataError, match="the name of a thing is a text, not ") as caught:
        named("thing", given, KNOWN, DataError)
    assert caught.value.help == "choose one of nest, pynn.nest, Torch"
