"""What travels arrives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.experiments.examples import plan_of, runs, settings

from volr.experiments.execution.job import Done, Failed, Job
from volr.experiments.execution.transport import (
    answer_from,
    answer_of,
    answer_text,
    arrays_of,
    job_from,
    job_of,
    job_text,
    request_of,
)

if TYPE_CHECKING:
    from volr.experiments.results import Run
    from volr.experiments.settings import Settings

SPECS = plan_of(*("snn-finetuned", "ann:futhark", "snn-random", "snn-surrogate")).specs()


@examples(max_examples=30)
@given(
    index=st.integers(0, len(SPECS) - 1),
    told=settings(),
    models=st.lists(st.binary(), max_size=3).map(tuple),
    folder=st.none() | st.text(),
)
def test_a_job(index: int, told: Settings, models: tuple[bytes, ...], folder: str | None) -> None:
    job = Job(replace(SPECS[index], settings=told), models, folder)
    assert job_from(json.loads(json.dumps(job_text(job))), models) == job
    arrays, rest = request_of(job)
    assert job_of(arrays, json.loads(json.dumps(rest))) == job


@examples(max_examples=30)
@given(runs(), st.binary(max_size=50))
def test_what_was_made(run: Run, model: bytes) -> None:
    done = Done(run, model)
    # NaN is not itself, but looks like it.
    assert repr(answer_from(*answer_text(done))) == repr(done)
    assert repr(answer_of(arrays_of(done))) == repr(done)


@pytest.mark.parametrize("help", [None, "öffne «das»\nFenster"])
def test_what_failed(help: str | None) -> None:
    failed = Failed("", help)
    assert answer_from(*answer_text(failed)) == failed
    assert answer_of(arrays_of(failed)) == failed
