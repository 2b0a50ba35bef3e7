"""Several back ends at once: what stands in the way of one stands in the way of no other."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.oracles import random_parameters
from tests.verification.planted import TWINS, Mistaken, flipped

from volr.backends.base import Document, Files, Simulator
from volr.backends.engine import ENGINE
from volr.backends.reference import REFERENCE
from volr.errors import DataError, SimulatorError, UnsupportedError
from volr.models.model import SpikingModel
from volr.models.samples import Samples
from volr.neurons import IFCurrDelta
from volr.verification import Unverified, Verification, verify, verify_all
from volr.verification.examples import random_stimuli
from volr.verification.verify import attempt

if TYPE_CHECKING:
    from volr.backends.readback import Readback

pytest.importorskip("numba")

MODEL = SpikingModel(
    network=TWINS,
    parameters=random_parameters(TWINS, np.random.default_rng(0), weight=5.0, bias=0.5),
    neuron=IFCurrDelta(),
)
STIMULI = random_stimuli(TWINS, 4)


def _dying() -> nullcontext[Simulator]:
    raise SimulatorError("it does not start")


LACKING = replace(ENGINE, name="lacking", neurons=("if_cond_exp",))
DYING = replace(ENGINE, name="dying", start=_dying)
WRONG = replace(ENGINE, name="wrong", start=lambda: nullcontext(Mistaken(flipped)))


def _broken(_: Files) -> Readback:
    raise KeyError("nothing")


BROKEN = Document(
    name="broken", summary="", suffix=".x", neurons=("if_curr_delta",), resets=("hard",),
    codings=("current",), readouts=("count",), write=lambda _: {}, read_back=_broken,
)  # fmt: skip


def test_each_target_has_its_outcome_in_their_order() -> None:
    told: list[tuple[str, int]] = []
    found = verify_all(
        MODEL,
        (LACKING, ENGINE, DYING, REFERENCE, BROKEN, WRONG),
        STIMULI,
        progress=lambda target: lambda more: told.append((target.name, more)),
    )
    assert [each.name for each in found] == [
        *("lacking", "engine", "dying", "reference", "broken", "wrong")
    ]
    assert [each.status for each in found if isinstance(each, Unverified)] == [
        *("refused", "failed", "refused", "failed")
    ]
    engine, wrong = (each for each in found if isinstance(each, Verification))
    assert engine.equal
    assert not wrong.equal
    assert told == [("engine", 4), ("wrong", 4)]
    lacking, _, dying, reference, broken, _ = found
    assert isinstance(lacking, Unverified)
    assert lacking.generation == "SNN"
    assert lacking.help is not None
    assert lacking.help.startswith(
        "run it on engine, which keeps the network; lacking has the neuron model if_cond"
    )
    assert "lacks the neuron model 'if_curr_delta'" in lacking.reason
    assert isinstance(dying, Unverified)
    assert dying.reason == "dying: it does not start"
    assert isinstance(reference, Unverified)
    assert "spiking" in reference.reason
    assert isinstance(broken, Unverified)
    assert (broken.reason, broken.help) == ("KeyError: 'nothing'", None)


def test_one_target_alone_raises() -> None:
    with pytest.raises(UnsupportedError, match="lacking lacks"):
        verify(MODEL, LACKING, STIMULI)
    with pytest.raises(SimulatorError, match="does not start"):
        verify(MODEL, DYING, STIMULI)


def test_stimuli_that_do_not_fit_are_the_callers_mistake() -> None:
    with pytest.raises(DataError, match=r"\[4, 6\]"):
        verify_all(MODEL, (ENGINE,), np.zeros((4, 6)))


def test_stimuli_may_be_lists_and_are_not_samples() -> None:
    assert verify(MODEL, ENGINE, STIMULI.tolist()) == verify(MODEL, ENGINE, STIMULI)
    with pytest.raises(DataError, match="the stimuli are Samples, not an array") as caught:
        verify(MODEL, ENGINE, Samples(STIMULI, np.zeros(len(STIMULI), int)))  # type: ignore[arg-type]
    assert caught.value.help == "its `inputs` are stimuli"


def test_no_stimuli_prove_nothing() -> None:
    nothing = STIMULI[:0]
    for compare in (
        lambda: verify(MODEL, ENGINE, nothing),
        lambda: attempt(MODEL, LACKING, nothing),
    ):
        with pytest.raises(DataError, match="there are no stimuli to compare the behaviour on"):
            compare()
