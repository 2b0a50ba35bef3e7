from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from tests.network.examples import MIXED, PARALLEL, SKIP, XOR

from volr.errors import NetworkError
from volr.network import AllToAll, Network, Population, Projection
from volr.source import Source, Span

A, B, C = (Population(name, (size,)) for name, size in (("a", 3), ("b", 4), ("c", 5)))
AB, BC = Projection("a", "b"), Projection("b", "c")


def raised(
    populations: tuple[Population, ...] = (A, B, C),
    projections: tuple[Projection, ...] = (AB, BC),
    inputs: tuple[str, ...] = ("a",),
    outputs: tuple[str, ...] = ("c",),
) -> list[str]:
    """The problems in the error that the graph raises; a-b-c where nothing else is said."""
    with pytest.raises(NetworkError) as caught:
        Network(populations, projections, inputs, outputs)
    first, *listed = str(caught.value).split("\n")
    assert first == "this is not a network:"
    return [line.removeprefix("  - ") for line in listed]


def test_the_graph_that_the_other_tests_break_is_a_network():
    assert Network((A, B, C), (AB, BC), ("a",), ("c",)).output_size == 5


@pytest.mark.parametrize("shape", [2, (2.0,), (2.5,), (math.nan,), (True,), ("x",), "4", None])
def test_a_shape_is_whole_numbers(shape: Any):
    with pytest.raises(NetworkError, match=r"shape is .*, not a tuple of which each item is a wh"):
        Population("a", shape)


@pytest.mark.parametrize("name", [5, None, b"a"])
def test_a_name_is_a_text(name: Any):
    for make in (lambda: Population(name, (2,)), lambda: Projection("a", name)):
        with pytest.raises(NetworkError, match=r"is .*, not a text\n  = help: write it as P"):
            make()


@pytest.mark.parametrize("connector", [AllToAll, "all_to_all", None])
def test_a_connector_is_one(connector: Any):
    with pytest.raises(NetworkError, match=r"connector is .*, not a Connector"):
        Projection("a", "b", connector)


@pytest.mark.parametrize(
    ("change", "item"),
    [
        *(({"populations": each}, "a Population") for each in (A, ("a", "b"), None)),
        *(({"projections": each}, "a Projection") for each in (AB, (("a", "b"),))),
        *(({"inputs": each}, "a text") for each in ("a", ("a", 5))),
        ({"outputs": "c"}, "a text"),
    ],
)
def test_the_parts_of_a_network_are_of_their_types(change: dict[str, Any], item: str):
    parts: dict[str, Any] = {"populations": (A, B, C), "projections": (AB, BC)}
    parts |= {"inputs": ("a",), "outputs": ("c",)}
    with pytest.raises(NetworkError, match=f"{next(iter(change))} is .* each item is {item}\n"):
        Network(**(parts | change))


def test_lists_give_the_same_network_as_tuples():
    populations: Any = [Population(each.name, [np.int64(each.size)]) for each in (A, B, C)]  # type: ignore[arg-type]
    parts: Any = [AB, BC], ["a"], ["c"]
    network, same = Network(populations, *parts), Network((A, B, C), (AB, BC), ("a",), ("c",))
    assert network == same
    assert hash(network) == hash(same)
    assert str(network) == str(same)


def test_a_name_occurs_once():
    assert raised((A, B, C, C)) == ["two populations are called 'c'"]


@pytest.mark.parametrize("name", ["", "a b", "a->b", "a\nb", "a\tb", "a\u00a0b", "\x00", "\ud800"])
def test_a_name_is_one_printable_word(name: str):
    renamed = (A, replace(B, name=name), C)
    expected = (
        f"a population is called {name!r}; a name is printable and has neither spaces nor '->'"
    )
    assert raised(renamed, (Projection("a", name), Projection(name, "c"))) == [expected]


@pytest.mark.parametrize("shape", [(), (0,), (-2,), (4, 0)])
def test_every_axis_is_at_least_1(shape: tuple[int, ...]):
    expected = f"population 'b' has the shape {shape}; each axis must be at least 1"
    assert raised((A, replace(B, shape=shape), C)) == [expected]


def test_there_is_an_input():
    nothing = "nothing leads to population 'a', which is not an input"
    assert raised(inputs=()) == ["there is no input population", nothing]


def test_there_is_an_output():
    nowhere = "population 'c' leads nowhere and is not an output"
    assert raised(outputs=()) == ["there is no output population", nowhere]


def test_inputs_and_outputs_are_listed_once():
    listed = "a population is listed twice among the inputs: a, a"
    assert raised(inputs=("a", "a")) == [listed]
    listed = "a population is listed twice among the outputs: c, b, c"
    assert raised(outputs=("c", "b", "c")) == [listed]


def test_inputs_and_outputs_are_populations():
    assert raised(inputs=("a", "x")) == ["the input 'x' is not a population"]
    assert raised(outputs=("x", "c")) == ["the output 'x' is not a population"]


def test_a_projection_connects_populations():
    unknown = "projection b->x: there is no population 'x'"
    assert raised(projections=(AB, BC, Projection("b", "x"))) == [unknown]
    unknown = "projection x->c: there is no population 'x'"
    assert raised(projections=(AB, BC, Projection("x", "c"))) == [unknown]


@pytest.mark.parametrize("ends", [("c", "b"), ("b", "b")])
def test_a_projection_leads_forward(ends: tuple[str, str]):
    backward = f"projection {ends[0]}->{ends[1]} does not lead to a later population"
    assert raised(projections=(AB, BC, Projection(*ends))) == [backward]


def test_a_projection_occurs_once():
    assert raised(projections=(AB, BC, AB)) == ["projection a->b occurs twice"]


def test_an_input_is_no_target():
    target = "the input 'b' is the target of a projection"
    assert raised(inputs=("a", "b")) == [target]


def test_every_population_is_reached():
    unreached = "nothing leads to population 'b', which is not an input"
    assert raised(projections=(Projection("a", "c"), BC)) == [unreached]


def test_every_population_leads_somewhere():
    nowhere = "population 'b' leads nowhere and is not an output"
    assert raised(projections=(AB, Projection("a", "c"))) == [nowhere]


def test_everything_wrong_is_reported_at_once():
    found = raised(
        (A, B, replace(C, shape=(0,)), Population("d e", (1,)), A),
        (AB, AB, BC, Projection("c", "b"), Projection("a", "x")),
        inputs=("a", "b", "b"),
        outputs=("y",),
    )
    assert found == [
        "population 'c' has the shape (0,); each axis must be at least 1",
        "a population is called 'd e'; a name is printable and has neither spaces nor '->'",
        "two populations are called 'a'",
        "a population is listed twice among the inputs: a, b, b",
        "the output 'y' is not a population",
        "projection a->b does not lead to a later population",
        "projection a->b does not lead to a later population",
        "projection a->b occurs twice",
        "projection c->b does not lead to a later population",
        "projection a->x: there is no population 'x'",
        "the input 'b' is the target of a projection",
        "nothing leads to population 'd e', which is not an input",
        "population 'd e' leads nowhere and is not an output",
    ]


def test_equality_and_hash_ignore_where_the_parts_came_from():
    somewhere = Network(
        tuple(replace(p, span=Span(2, 5)) for p in XOR.populations),
        tuple(replace(p, span=Span(0, 1)) for p in XOR.projections),
        XOR.inputs,
        XOR.outputs,
        Source("dense 2 4 ⦶ dense 4 2"),
    )
    assert somewhere == XOR
    assert hash(somewhere) == hash(XOR)


@pytest.mark.parametrize(
    "change",
    [
        {"populations": (*XOR.populations[:2], Population("dense_2", (3,)))},
        {"projections": XOR.projections[::-1]},
        {"outputs": ("dense_2", "dense_1")},
    ],
)
def test_equality_sees_every_part(change: dict[str, object]):
    assert replace(XOR, **change) != XOR


def test_nothing_can_be_changed():
    with pytest.raises(FrozenInstanceError):
        XOR.inputs = ("dense_1",)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_network_is_copied_and_pickled_with_its_views_in_use():
    assert PARALLEL["dense_1"].size == 20
    assert len(PARALLEL.incoming["dense_4"]) == 2
    for twin in (copy.deepcopy(PARALLEL), pickle.loads(pickle.dumps(PARALLEL))):
        assert twin == PARALLEL
        assert twin.incoming == PARALLEL.incoming


def test_counts_of_a_program():
    # 2-3-(4-5)-2: weights 6 + 8 + 20 + 6 + 10, biases 3 + 4 + 5 + 2
    assert (SKIP.neuron_count, SKIP.synapse_count, SKIP.parameter_count) == (16, 50, 64)
    assert [p.name for p in SKIP.layers] == ["dense_1", "dense_2", "dense_3", "dense_4"]
    assert [p.name for p in SKIP.incoming["dense_4"]] == ["dense_1->dense_4", "dense_3->dense_4"]
    assert SKIP.incoming["input"] == ()


def test_sizes_of_several_inputs_and_outputs():
    assert MIXED.input_size == 1 * 28 * 28 + 1
    assert MIXED.output_size == 10 + 4 * 12 * 12 + 2
    assert MIXED["features"].size == 576


def test_a_population_that_is_not_there_is_told_the_nearest_and_all() -> None:
    names = ("input", "conv_1", "dense_2")
    network = Network(
        tuple(Population(each, (3,)) for each in names),
        (Projection("input", "conv_1"), Projection("conv_1", "dense_2")),
        ("input",),
        ("dense_2",),
    )
    with pytest.raises(NetworkError, match="there is no population 'conv_2'") as caught:
        network["conv_2"]
    assert caught.value.help == "did you mean 'conv_1'? choose one of input, conv_1, dense_2"
    # It is what Python expects of a name that is not there, too.
    with pytest.raises(KeyError):
        network["nope"]
    for other in (1, ["conv_1"], None):
        with pytest.raises(NetworkError, match="the name of a population is a text"):
            network[other]  # pyright: ignore[reportArgumentType]
