"""A run as JSON: there and back, and what says something else."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.experiments.examples import POPULATION, ROW, RUN, runs

from volr.experiments.results import Activity, Run
from volr.experiments.store.runs import run_from, run_json
from volr.transfer import TransferReport

FULL = replace(
    RUN,
    over_time=(0.25, 0.5),
    transfer=TransferReport(
        populations=(POPULATION,), samples=9, accuracy_before=1.0, accuracy_after=0.5, ties=0.0
    ),
    activity=Activity(spikes={"input": 2.5}, effective=9.0, dense=16.0, sparsity=0.5),
)


@examples(max_examples=40)
@given(runs())
def test_a_run_there_and_back(run: Run) -> None:
    text = json.dumps(run_json(run), allow_nan=False)
    # NaN is not itself, but looks like it.
    assert repr(run_from(json.loads(text))) == repr(run)


def anything() -> st.SearchStrategy[Any]:
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    return st.recursive(
        leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
    )


@examples(max_examples=100)
@given(data=st.data(), wrong=anything())
def test_a_file_that_says_something_else_is_an_error_message_or_a_run(
    data: st.DataObject, wrong: Any
) -> None:
    content: Any = json.loads(json.dumps(run_json(RUN)))
    place = content
    path = data.draw(st.sampled_from([[], ["row"], ["history", 0], ["transfer"], ["confusion"]]))
    for step in path:
        place = place[step]
    if isinstance(place, dict):
        place[data.draw(st.sampled_from(sorted(place)))] = wrong
    try:
        found = run_from(content)
    except (KeyError, TypeError, ValueError):
        return
    # Rows are averaged and compared, so that theirs are checked.
    assert {k: type(v) for k, v in vars(found.row).items()}.keys() == vars(ROW).keys()
    for name, value in vars(found.row).items():
        kind = type(getattr(ROW, name))
        assert isinstance(value, (float, int) if kind is float else kind)


# Each is JSON, as Python has it.
NUMBERS = (None, "1", True, [], [1.0], {}, math.nan, math.inf, 1e308, 10**400)
SHARES = (*NUMBERS, -0.5, 1.5)
COUNTS = (*NUMBERS, 1.5, -1)
LISTS = (None, "", "ab", 3, {}, ["a"], [None], [[1.0]], [math.nan], [math.inf])
WRONG: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [
    *((("row", name), SHARES) for name in ("accuracy", "chance", "ties")),
    (("row", "seconds"), NUMBERS),
    (("row", "seed"), COUNTS),
    (("row", "samples"), (*COUNTS, 0)),
    (("row", "neuron"), (None, 3, [])),
    (("row",), (None, [], {}, "row")),
    (("history",), (*LISTS, [{}], [{"loss": 1.0}])),
    (("history", 0, "loss"), NUMBERS),
    (("history", 0, "validation_loss"), NUMBERS[1:]),
    (("history", 0, "validation_accuracy"), SHARES[1:]),
    (("confusion",), (*LISTS, [[]], [[1, 2]], [[1], [2]], [[1, 2], [3]], ["ab", "cd"])),
    (("confusion", 0, 1), COUNTS),
    (("over_time",), LISTS),
    (("over_time", 1), SHARES),
    (("dt",), (*NUMBERS, -1.0)),
    (("transfer",), (3, [], {}, "report")),
    (("transfer", "populations"), LISTS),
    (("transfer", "populations", 0, "wanted"), NUMBERS),
    (("transfer", "populations", 0, "correlation"), NUMBERS[1:]),
    (("transfer", "populations", 0, "dead"), COUNTS),
    (("transfer", "populations", 0, "measured_curve"), (*LISTS, [1.0])),
    (("transfer", "samples"), (*COUNTS, 0)),
    (("activity",), (3, [], {}, "much")),
    (("activity", "spikes"), (None, 3, [], [1.0], "many", {"input": "many"}, {"input": None})),
    (("activity", "dense"), NUMBERS),
    (("versions",), (None, 3, [], "1.2.3", {"volr": 1})),
]


@pytest.mark.parametrize(("place", "values"), WRONG, ids=[str(place) for place, _ in WRONG])
def test_what_no_run_has_is_refused(place: tuple[str | int, ...], values: tuple[Any, ...]) -> None:
    assert run_from(run_json(FULL)) == FULL
    *path, last = place
    for value in values:
        content: Any = json.loads(json.dumps(run_json(FULL)))
        inner = content
        for step in path:
            inner = inner[step]
        inner[last] = value
        with pytest.raises((KeyError, TypeError, ValueError)):
            run_from(content)


@pytest.mark.parametrize("content", [None, 3, "run", [], {}])
def test_what_is_no_run_at_all(content: object) -> None:
    with pytest.raises((KeyError, TypeError)):
        run_from(content)
