"""A run as JSON: there and back, and what says something else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.experiments.examples import ROW, runs

from volr.experiments.results import Run
from volr.experiments.run_file import run_from, run_json
from volr.training import Epoch

RUN = Run(
    row=ROW,
    history=(Epoch(0.5, None, 0.75),),
    confusion=((3, 1), (0, 4)),
    dt=0.5,
    versions={"volr": "1.2.3"},
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
    told: Any = json.loads(json.dumps(run_json(RUN)))
    place = told
    path = data.draw(st.sampled_from([[], ["row"], ["history", 0], ["transfer"], ["confusion"]]))
    for step in path:
        place = place[step]
    if isinstance(place, dict):
        place[data.draw(st.sampled_from(sorted(place)))] = wrong
    try:
        found = run_from(told)
    except (KeyError, TypeError, AttributeError):
        return
    # Rows are averaged and compared, so that theirs are checked.
    assert {k: type(v) for k, v in vars(found.row).items()}.keys() == vars(ROW).keys()
    for name, value in vars(found.row).items():
        kind = type(getattr(ROW, name))
        assert isinstance(value, (float, int) if kind is float else kind)
