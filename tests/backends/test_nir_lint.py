"""What is said of a NIR file before anybody reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.test_nir_read import graph, layered, lif, node, weights
from tests.engine.examples import spiking_model
from tests.importers import maps
from tests.importers.files import ODD_FILES, affine, file_of, row
from tests.importers.files import lif as cells
from tests.oracles import chain

from volr.backends.nir import NIR
from volr.backends.nir.graph import Graph, Node
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.nir.lint import EVERYBODY, VOLR, Finding, general, lint, of_importers, ours
from volr.errors import ModelFileError

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

pytest.importorskip("nir")


def said(findings: list[Finding]) -> set[tuple[str, str, str]]:
    """Node, severity and the first words."""
    return {(each.node, each.severity, " ".join(each.message.split()[:3])) for each in findings}


def test_what_nir_leaves_open_is_said() -> None:
    uneven = np.linspace(1.0, 2.0, 4)
    cells = [
        lif(9, tau=20.0, v_leak=0.5),
        lif(4, tau=1e-5, v_reset=-1.0, v_threshold=uneven, r=3.0),
    ]
    found = general(layered(cells, weights()))
    assert {each.importer for each in found} == {EVERYBODY}
    assert said(found) == {
        ("", "warning", "it does not"),
        ("hidden", "warning", "tau is 20,"),
        ("hidden", "warning", "v_leak is 0.5:"),
        ("last", "warning", "tau is 1e-05"),
        ("last", "warning", "v_reset is -1:"),
        ("last", "warning", "r is 3:"),
        ("last", "warning", "its neurons differ"),
    }


def test_a_plain_file_has_nothing_but_its_step() -> None:
    plain = layered([lif(9), lif(4)], weights(), dt="0.001")
    assert general(plain) == []
    assert {each.severity for each in ours(plain)} == {"note"}
    assert {each.importer for each in ours(plain)} == {VOLR}


def test_loops_and_nodes_that_are_unknown_are_said() -> None:
    nodes = {
        "input": node("Input", shape=[9]),
        "cells": lif(9),
        "late": Node("Fancy"),
        "rec": node("Linear", weight=np.ones((9, 9))),
        "output": node("Output", shape=[9]),
    }
    looped = graph(nodes, "input cells output", "cells rec cells", "input late output", dt="1")
    looped = Graph(looped.nodes, looped.edges, looped.metadata, ("block",))
    assert said(general(looped)) == {
        ("cells", "warning", "the graph has"),
        ("block", "note", "graphs within the"),
    }
    reasons = [(each.node, each.message) for each in ours(looped)]
    assert reasons.count(("late", "Volr has no Fancy")) == 1
    assert {each.severity for each in ours(looped)} == {"error"}


def test_what_volr_lacks_is_said_once() -> None:
    found = lint(file_of(row(affine(), Node("Fancy"), cells())))
    mine = [each for each in found if each.importer in {VOLR, EVERYBODY}]
    assert ["Fancy" in each.message for each in mine].count(True) == 1


def of_everybody(file: str) -> set[tuple[str, str, str]]:
    """What holds for everybody in a file of maps, without the time step."""
    found = lint(file_of(maps.FILES[file][0]))
    return said([each for each in found if each.importer == EVERYBODY and each.node])


def test_maps_that_fit_are_not_mentioned() -> None:
    for file in ("maps, sums", "maps, window 3 x 2", "maps, groups of two", "maps, pool 1 x 3"):
        assert of_everybody(file) == set()
        found = lint(file_of(maps.FILES[file][0]))
        assert {each.severity for each in found if each.importer == VOLR} == {"note"}


@pytest.mark.parametrize(
    ("file", "node", "severity", "words"),
    [
        ("maps, other input_shape", "c", "warning", "its input_shape is [6, 6], and it gets"),
        ("maps, other channels", "c", "error", "its weight takes 1 channels and gets 2"),
        ("maps, no flatten", "a", "error", "it gets the map [2, 4, 6], and no Flatten"),
        ("maps, means padded", "p", "warning", "it has a padding: NIR does not say"),
        ("maps, wide pool", "p", "error", "its window is [5, 7], and it gets maps of [4, 6]"),
    ],
)
def test_the_usual_mistakes_with_maps_are_said(
    file: str, node: str, severity: str, words: str
) -> None:
    graph = maps.net(maps.pool("AvgPool2d", 5, 7)) if "wide" in file else maps.FILES[file][0]
    found = [each for each in lint(file_of(graph)) if each.importer == EVERYBODY and each.node]
    (one,) = found
    assert (one.node, one.severity) == (node, severity)
    assert one.message.startswith(words)


@pytest.mark.parametrize(
    ("file", "importer", "words"),
    [
        ("maps, window 3 x 2", "nir 1.0.8", "because nir takes the first axis of the window for"),
        ("maps, groups of two", "nir 1.0.8", "because nir does not count the groups"),
        ("maps, flat from 0", "snntorch", "flattens away; start_dim = -3 is right for all"),
        ("maps, means padded", "spikingjelly", "counts its padding, [1, 1], in its means"),
        ("maps, sums padded", "sinabs", "leaves out its padding, [1, 1]: its maps are smaller"),
        ("maps, groups of one", "sinabs", "fails on 2 groups of 1 channels each"),
        ("maps, groups of two", "spikingjelly", "refuses groups = 2: it has no groups"),
        ("maps, means", "norse", "leaves out AvgPool2d, silently"),
    ],
)
def test_what_an_importer_makes_of_maps_is_said(file: str, importer: str, words: str) -> None:
    found = lint(file_of(maps.FILES[file][0]))
    assert any(words in each.message for each in found if each.importer == importer)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("tau", "said"),
    [(np.zeros(4), "its time constant is 0 ms"), (np.full(3, 0.002), "3 values for 4 neurons")],
    ids=["zero", "another length"],
)
def test_a_time_constant_that_cannot_be_is_a_finding(tau: Floats, said: str) -> None:
    values = {**cells().values, "tau": tau}
    found = lint(file_of(row(affine(), Node("LIF", values))))
    assert any(said in each.message for each in found if each.importer == VOLR)
    assert any("nir 1.0.8" in each.importer for each in found) == (len(tau) == 3)


def test_a_batch_axis_is_named_with_a_way_to_read_it() -> None:
    found = lint(file_of(ODD_FILES["batch axis"][0]))
    (refused,) = (each for each in found if each.importer == "nir 1.0.8")
    assert "it takes the shape [3] and gets [1, 3] from 'input'" in refused.message
    assert "type_check=False" in refused.message
    assert not [each for each in found if each.importer == "nir 1.0.4"]
    others = {each.importer for each in found if "reads with nir 1.0.8" in each.message}
    assert others == {"norse", "snntorch", "spikingjelly"}


def test_a_file_is_linted_for_all_importers() -> None:
    body = write_graph(layered([lif(9), lif(4)], weights()))
    found = lint(body)
    assert {EVERYBODY, VOLR} < {each.importer for each in found}
    order = ["error", "warning", "note"]
    ranks = [order.index(each.severity) for each in found]
    assert ranks == sorted(ranks)


def test_ours_are_read_without_a_word() -> None:
    body = NIR.write(spiking_model("delta", chain(2, 3, 1)))[".nir"]
    assert not [each for each in lint(body) if each.importer == VOLR]


def test_a_damaged_file_is_no_finding() -> None:
    with pytest.raises(ModelFileError):
        lint(b"nothing")


def test_a_graph_within_the_graph_is_linted() -> None:
    # Its ends are read as nodes that hand on what they get.
    nodes = {
        "input": node("Input", shape=[9]),
        "block.in": Node("Flatten"),
        "block.a": node("Affine", weight=np.ones((9, 9)), bias=np.zeros(9)),
        "block.out": Node("Flatten"),
        "cells": lif(9),
        "output": node("Output", shape=[9]),
    }
    nested = graph(nodes, "input block.in block.a block.out cells output", dt="0.001")
    found = of_importers(replace(nested, subgraphs=("block",)))
    assert not [each for each in found if each.importer == "norse"]
