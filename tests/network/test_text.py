from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from tests.network.examples import CLOCKED, MIXED, PARALLEL, SKIP, XOR, networks

from volr.network import Network, Population, Projection, network_json, network_text

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("xor", XOR),
        ("parallel", PARALLEL),
        ("skip", SKIP),
        ("mixed", MIXED),
        ("clocked", CLOCKED),
    ],
)
def test_the_text_of_an_example(name: str, network: Network):
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert network_text(network) + "\n" == golden


def test_a_clock_is_said_in_json_and_only_where_there_is_one():
    assert network_json(CLOCKED)["clock"] == "clock"
    assert network_json(CLOCKED)["inputs"] == ["input"]
    assert {
        "source": "clock",
        "target": "dense_5",
        "connector": "slice 9:11",
    } in network_json(CLOCKED)["projections"]
    assert "clock" not in network_json(MIXED)


def test_str_is_the_text():
    assert str(PARALLEL) == network_text(PARALLEL)


def test_a_single_population_is_input_and_output():
    alone = Network((Population("all", (1,)),), (), ("all",), ("all",))
    assert network_text(alone) == (
        "net 1 1\n\npopulations\n  all  1  input, output\n\n"
        "1 neuron, 0 synapses, 0 parameters (0 weights, 0 biases), 0 multiplications"
    )


def read(text: str) -> Network:
    """What a reader makes of the text, by its words alone."""
    _, populations, *projections, _ = (part.splitlines() for part in text.split("\n\n"))
    shapes: list[Population] = []
    roles: dict[str, dict[int, str]] = {"input": {}, "output": {}}
    for line in populations[1:]:
        name, shape, *words = line.split()
        shapes.append(Population(name, tuple(int(axis) for axis in shape.split("x"))))
        for role in filter(None, " ".join(words).split(", ")):
            side, _, number = role.partition(" ")
            roles[side][int(number or 1)] = name
    ends = [line.split()[0].split("->", 1) for part in projections for line in part[1:]]
    inputs, outputs = (tuple(names[key] for key in sorted(names)) for names in roles.values())
    found = tuple(Projection(source, target) for source, target in ends)
    return Network(tuple(shapes), found, inputs, outputs)


@given(networks())
def test_the_text_says_everything_about_a_network(network: Network):
    assert read(network_text(network)) == network


@given(networks())
def test_the_text_has_one_line_for_each_part_and_no_trailing_space(network: Network):
    lines = network_text(network).split("\n")
    parts = len(network.populations) + len(network.projections)
    assert sum(line.startswith("  ") for line in lines) == parts
    assert all(line == line.rstrip() for line in lines)


def test_json_of_a_program():
    assert network_json(XOR) == {
        "populations": [
            {"name": "input", "shape": [2]},
            {"name": "dense_1", "shape": [4]},
            {"name": "dense_2", "shape": [2]},
        ],
        "projections": [
            {"source": "input", "target": "dense_1", "connector": "all_to_all"},
            {"source": "dense_1", "target": "dense_2", "connector": "all_to_all"},
        ],
        "inputs": ["input"],
        "outputs": ["dense_2"],
    }


@given(networks())
def test_json_says_everything_about_a_network(network: Network):
    data = json.loads(json.dumps(network_json(network)))
    assert {each["connector"] for each in data["projections"]} <= {"all_to_all"}
    again = Network(
        tuple(Population(each["name"], tuple(each["shape"])) for each in data["populations"]),
        tuple(Projection(each["source"], each["target"]) for each in data["projections"]),
        tuple(data["inputs"]),
        tuple(data["outputs"]),
    )
    assert again == network
