"""What a back end holds: every difference is found, and named where it looks like something."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import random_parameters
from tests.readbacks import said, spiking
from tests.strategies import Program, programs
from tests.verification import planted
from tests.verification.planted import TWINS

from volr.backends.expected import Expected, ExpectedCells, expected
from volr.backends.readback import SINGLE, Asked, Told, all_told
from volr.language import to_network
from volr.models.model import SpikingModel
from volr.network import Network, OneToOne, Population, Projection
from volr.neurons import IFCurrDelta
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.checks.arrays import Floats
    from volr.verification.differences import Difference

MODEL = SpikingModel(
    network=TWINS,
    parameters=random_parameters(TWINS, np.random.default_rng(0), weight=5.0, bias=0.5),
    neuron=IFCurrDelta(v_reset=-60.0, tau_refrac=1.0, i_offset=0.1),
    delay=1.0,
)
HELD = expected(MODEL)


def differences(wanted: Expected, held: Expected) -> tuple[Difference, ...]:
    """All that is found where everything was asked, and this is what was said."""
    return compare(wanted, said(held)).differences


def test_a_faithful_back_end_differs_in_nothing() -> None:
    assert differences(HELD, expected(MODEL)) == ()


def test_rounding_is_no_difference_and_more_is() -> None:
    single = {k: np.float32(v).astype(np.float64) for k, v in HELD.weights.items()}
    wanted = replace(HELD, precision=SINGLE)
    assert differences(wanted, replace(HELD, weights=single, precision=SINGLE)) == ()
    assert {each.kind for each in differences(HELD, replace(HELD, weights=single))} == {
        "parameters"
    }


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
    found = {each.where: each for each in differences(HELD, expected(mistake(MODEL)))}
    assert found[where].kind == "parameters"
    assert found[where].cause == cause


def test_parts_of_the_graph_are_missed() -> None:
    weights = {ends: block for ends, block in HELD.weights.items() if ends != ("left", "square")}
    weights["left", "last"] = np.ones((3, 4))
    (missing, added) = differences(HELD, replace(HELD, weights=weights))
    assert (missing.kind, missing.where) == ("topology", "left->square")
    assert (added.kind, added.where) == ("topology", "left->last")
    sizes = {**HELD.populations, "extra": 2, "last": 7}
    found = differences(HELD, replace(HELD, populations=sizes))
    assert [each.where for each in found] == ["last", "extra"]
    turned = differences(HELD, replace(HELD, inputs=("last",), outputs=("input",)))
    assert [each.where for each in turned] == ["inputs", "outputs"]


def test_single_synapses_are_missed() -> None:
    block = HELD.weights["left", "square"].copy()
    block[1, 2] = np.nan
    (found,) = differences(HELD, replace(HELD, weights={**HELD.weights, ("left", "square"): block}))
    assert str(found) == "left->square: 1 of 16 synapses are missing"


def test_a_block_the_wrong_way_round_is_named() -> None:
    turned = {**HELD.weights, ("square", "last"): HELD.weights["square", "last"].T}
    (found,) = differences(HELD, replace(HELD, weights=turned))
    assert (found.kind, found.cause) == ("topology", "the block is transposed")


def test_exchanged_populations_of_different_sizes_are_named() -> None:
    sizes = {**HELD.populations, "left": 3, "last": 4}
    found = differences(HELD, replace(HELD, populations=sizes))
    assert {each.cause for each in found} == {"left and last are exchanged"}


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"dt": 1.0}, "time step", "dt is 1 ms, expected 0.5 ms"),
        ({"biases": {**HELD.biases, "last": HELD.biases["last"] * 1000.0}}, "last", "1000 times"),
        ({"biases": {**HELD.biases, "last": np.zeros(2)}}, "last", "of the shape [2]"),
        ({"biases": {}}, "left", "of the shape none"),
        (
            {"delays": {("square", "last"): np.array([1.0, 2.5])}},
            "square->last",
            "the delays 1, 2.5 ms, expected 1 ms",
        ),
        (
            {"cells": {"left": ExpectedCells("if_curr_exp", "hard", {})}},
            "left",
            "neurons of the model if_curr_exp",
        ),
        (
            {"cells": {"left": ExpectedCells("if_curr_delta", "hard", {"v_reset": -65.0})}},
            "left",
            "v_reset is -65, expected -60 (wrong reset)",
        ),
        (
            {"cells": {"left": ExpectedCells("if_curr_delta", "hard", {"tau_m": float("nan")})}},
            "left",
            "tau_m differs between the neurons",
        ),
    ],
)
def test_numbers_that_differ_are_found(change: dict[str, Any], where: str, message: str) -> None:
    found = differences(HELD, replace(HELD, **change))
    assert any(each.where == where and message in str(each) for each in found)


def test_a_few_flipped_signs_are_counted() -> None:
    block = HELD.weights["left", "square"].copy()
    block[0, :2] *= -1.0
    (found,) = differences(HELD, replace(HELD, weights={**HELD.weights, ("left", "square"): block}))
    assert found.cause == "2 signs are flipped"


def _changed(held: Expected, ends: tuple[str, str], block: Floats) -> Expected:
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
    (found,) = differences(held, _changed(held, ends, block))
    assert found.where == f"{ends[0]}->{ends[1]}"
    assert differences(held, held) == ()


def test_each_number_has_its_own_precision() -> None:
    """A large weight beside it hides no other one."""
    weights = HELD.weights["square", "last"].copy()
    weights[0, 0] = 1e8
    large = _changed(HELD, ("square", "last"), weights)
    wrong = weights.copy()
    wrong[2, 1] *= -3.0
    wrongly = _changed(HELD, ("square", "last"), wrong)
    (found,) = differences(replace(large, precision=1e-7), wrongly)
    assert found.message.startswith("1 of 12 weights differ; [2, 1] is")


def test_a_coarser_precision_than_the_record_claims_is_a_difference() -> None:
    (found,) = differences(HELD, replace(HELD, precision=SINGLE))
    assert (found.field, found.where) == ("precision", "precision")
    assert differences(replace(HELD, precision=SINGLE), HELD) == ()


def test_what_was_told_is_counted_and_never_compared() -> None:
    """Every value is in exactly one of the two counts, whatever is told of it."""
    whole = compare(HELD, spiking(HELD))
    neurons = sum(len(each.numbers) + 2 for each in HELD.cells.values())
    values = sum(block.size for block in (*HELD.weights.values(), *HELD.biases.values()))
    # Sizes, one input, one output, delays, dt, precision.
    assert whole.asked == len(HELD.populations) + 2 + values + neurons + len(HELD.delays) + 2
    assert whole.told == 0
    wrong = expected(planted.late(planted.flipped(MODEL)))
    partly = replace(
        spiking(wrong),
        weights=all_told(HELD.weights, "nobody knows"),
        delays=all_told(HELD.delays, "no time"),
        dt=Told("no time"),
        cells=all_told(HELD.cells, "no neurons"),
        outputs=Told("none"),
    )
    found = compare(HELD, partly)
    assert found.differences == ()
    assert found.asked + found.told == whole.asked
    assert found.fields["weights"].told == sum(block.size for block in HELD.weights.values())
    assert found.fields["weights"].why == ("nobody knows",)
    assert found.fields["cells.tau_m"].told == len(HELD.cells)
    assert found.fields["biases"].told == 0


def test_what_is_neither_asked_nor_told_is_a_difference() -> None:
    cells = HELD.cells["left"]
    numbers = {name: value for name, value in cells.numbers.items() if name != "tau_m"}
    lacking = {**HELD.cells, "left": replace(cells, numbers=numbers)}
    (found,) = differences(HELD, replace(HELD, cells=lacking))
    assert (found.field, str(found)) == ("cells.tau_m", "left: it has no tau_m, expected 20")
    delays = {ends: delay for ends, delay in HELD.delays.items() if ends != ("left", "square")}
    (found,) = differences(HELD, replace(HELD, delays=delays))
    assert (found.field, str(found)) == ("delays", "left->square: it has no delay")
    none = {name: each for name, each in HELD.cells.items() if name != "last"}
    (found,) = differences(HELD, replace(HELD, cells=none))
    assert (found.field, str(found)) == ("cells.kind", "last: it has no neurons")


def test_populations_without_an_order_are_compared_as_a_set() -> None:
    model = replace(MODEL, network=replace(TWINS, outputs=("last", "left")))
    held = expected(model)
    found = spiking(held)
    for names in (frozenset({"left", "last"}), ("last", "left")):
        assert compare(held, replace(found, outputs=Asked(names))).differences == ()
    for names in (frozenset({"last"}), ("left", "last")):
        (difference,) = compare(held, replace(found, outputs=Asked(names))).differences
        assert difference.field == "outputs"


def test_a_shared_weight_that_is_not_the_same_everywhere_is_named() -> None:
    """One synapse of an identity, and all of them."""
    network = Network(
        (Population("input", (2, 3)), Population("same", (2, 3)), Population("out", (4,))),
        (Projection("input", "same", OneToOne()), Projection("same", "out")),
        ("input",),
        ("out",),
    )
    values = random_parameters(network, np.random.default_rng(0), weight=5.0, bias=0.5)
    model = SpikingModel(network=network, parameters=values)
    wanted, ends = expected(model), ("input", "same")
    assert differences(wanted, expected(model)) == ()
    weights = wanted.weights[ends].copy()
    weights[4, 4] *= 1.5
    [found] = differences(wanted, replace(wanted, weights=dict(wanted.weights) | {ends: weights}))
    assert found.where == "input->same"
    assert found.cause == (
        "the shared weight 0 is not the same everywhere: 1 of its 6 synapses differ"
    )
    weights[:] *= 1.5
    weights[4, 4] = weights[0, 0]
    [found] = differences(wanted, replace(wanted, weights=dict(wanted.weights) | {ends: weights}))
    assert found.cause is not None
    assert "shared" not in found.cause
