"""What a back end holds: every difference is found, and named where it looks like something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import random_parameters
from tests.strategies import Program, programs
from tests.verify import planted
from tests.verify.planted import TWINS

from volr.backends.readback import Cells, Readback, expected
from volr.language import to_network
from volr.models.model import SpikingModel
from volr.models.neurons import IFCurrDelta
from volr.verify import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.models.arrays import Floats

MODEL = SpikingModel(
    network=TWINS,
    parameters=random_parameters(TWINS, np.random.default_rng(0), weight=5.0, bias=0.5),
    neuron=IFCurrDelta(v_reset=-60.0, tau_refrac=1.0, i_offset=0.1),
    delay=1.0,
)
HELD = expected(MODEL)


def test_a_faithful_back_end_differs_in_nothing() -> None:
    assert compare(HELD, expected(MODEL)) == ()


def test_rounding_is_no_difference_and_more_is() -> None:
    single = {k: np.float32(v).astype(np.float64) for k, v in HELD.weights.items()}
    assert compare(HELD, replace(HELD, weights=single, precision=2.0**-23)) == ()
    assert {each.kind for each in compare(HELD, replace(HELD, weights=single))} == {"parameters"}


@pytest.mark.parametrize(
    ("mistake", "where", "cause"),
    [
        (planted.transposed, "left->square", "the block is transposed"),
        (planted.misread, "input->left", "the block is transposed, in its memory order"),
        (planted.flipped, "right->square", "all signs are flipped"),
        (planted.exchanged, "left->square", "the sources left and right are exchanged"),
        (planted.unsigned, "input->left", "what is negative has become positive"),
        (planted.late, "square->last", "1 step more"),
        (planted.soft, "left", "wrong reset"),
    ],
)
def test_planted_mistakes_are_named(
    mistake: Callable[[SpikingModel], SpikingModel], where: str, cause: str
) -> None:
    found = {each.where: each for each in compare(HELD, expected(mistake(MODEL)))}
    assert found[where].kind == "parameters"
    assert found[where].cause == cause


def test_parts_of_the_graph_are_missed() -> None:
    weights = {ends: block for ends, block in HELD.weights.items() if ends != ("left", "square")}
    weights["left", "last"] = np.ones((3, 4))
    (missing, added) = compare(HELD, replace(HELD, weights=weights))
    assert (missing.kind, missing.where) == ("topology", "left->square")
    assert (added.kind, added.where) == ("topology", "left->last")
    sizes = {**HELD.populations, "extra": 2, "last": 7}
    found = compare(HELD, replace(HELD, populations=sizes))
    assert [each.where for each in found] == ["last", "extra"]
    turned = compare(HELD, replace(HELD, inputs=("last",), outputs=("input",)))
    assert [each.where for each in turned] == ["inputs", "outputs"]


def test_single_synapses_are_missed() -> None:
    block = HELD.weights["left", "square"].copy()
    block[1, 2] = np.nan
    (found,) = compare(HELD, replace(HELD, weights={**HELD.weights, ("left", "square"): block}))
    assert str(found) == "left->square: 1 of 16 synapses are missing"


def test_a_block_the_wrong_way_round_is_named() -> None:
    turned = {**HELD.weights, ("square", "last"): HELD.weights["square", "last"].T}
    (found,) = compare(HELD, replace(HELD, weights=turned))
    assert (found.kind, found.cause) == ("topology", "the block is transposed")


def test_exchanged_populations_of_different_sizes_are_named() -> None:
    sizes = {**HELD.populations, "left": 3, "last": 4}
    found = compare(HELD, replace(HELD, populations=sizes))
    assert {each.cause for each in found} == {"left and last are exchanged"}


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"dt": 1.0}, "time step", "dt is 1 ms, expected 0.5 ms"),
        ({"biases": {**HELD.biases, "last": HELD.biases["last"] * 1000.0}}, "last", "1000 times"),
        ({"biases": {**HELD.biases, "last": np.zeros(2)}}, "last", "of the shape [2]"),
        ({"biases": {}}, "left", "of the shape none"),
        ({"delays": {("square", "last"): float("nan")}}, "square->last", "delays that differ"),
        ({"cells": {"left": Cells("if_curr_exp")}}, "left", "neurons of the model if_curr_exp"),
        (
            {"cells": {"left": Cells("if_curr_delta", "hard", {"v_reset": -65.0})}},
            "left",
            "v_reset is -65, expected -60 (wrong reset)",
        ),
        (
            {"cells": {"left": Cells("if_curr_delta", "hard", {"tau_m": float("nan")})}},
            "left",
            "tau_m differs between the neurons",
        ),
    ],
)
def test_numbers_that_differ_are_found(change: dict[str, Any], where: str, message: str) -> None:
    found = compare(HELD, replace(HELD, **change))
    assert any(each.where == where and message in str(each) for each in found)


def test_a_few_flipped_signs_are_counted() -> None:
    block = HELD.weights["left", "square"].copy()
    block[0, :2] *= -1.0
    (found,) = compare(HELD, replace(HELD, weights={**HELD.weights, ("left", "square"): block}))
    assert found.cause == "2 signs are flipped"


def _changed(held: Readback, ends: tuple[str, str], block: Floats) -> Readback:
    return replace(held, weights={**held.weights, ends: block})


@given(programs(), st.randoms(use_true_random=False))
def test_no_change_of_a_single_weight_is_overlooked(program: Program, random: Any) -> None:
    network = to_network(program.source)
    values = random_parameters(network, np.random.default_rng(1), weight=5.0, bias=0.5)
    held = expected(SpikingModel(network=network, parameters=values))
    ends = random.choice(list(held.weights))
    block = held.weights[ends].copy()
    place = tuple(random.randrange(axis) for axis in block.shape)
    block[place] = -block[place]
    (found,) = compare(held, _changed(held, ends, block))
    assert found.where == f"{ends[0]}->{ends[1]}"
    assert compare(held, held) == ()


def test_each_number_has_its_own_precision() -> None:
    """A large weight beside it hides no other one."""
    weights = HELD.weights["square", "last"].copy()
    weights[0, 0] = 1e8
    large = _changed(HELD, ("square", "last"), weights)
    wrong = weights.copy()
    wrong[2, 1] *= -3.0
    (found,) = compare(large, replace(_changed(HELD, ("square", "last"), wrong), precision=1e-7))
    assert found.message.startswith("1 of 12 weights differ; [2, 1] is")
