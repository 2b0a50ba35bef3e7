"""What a new concept needs: a node type is one row, and an importer is one record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("h5py")
pytest.importorskip("nir")

from tests.backends.test_nir_read import graph, lif, node
from tests.importers.matrix import PARALLEL, model_of, neuron_of

from volr.backends.expected import expected
from volr.backends.nir import lint
from volr.backends.nir.dialects import DIALECTS, document_for
from volr.backends.nir.dialects.norse import NORSE
from volr.backends.nir.hdf5_read import read_graph
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.nir.linear_nodes import scaled
from volr.backends.nir.primitives import PRIMITIVES, Linear
from volr.backends.nir.read import read_nir
from volr.errors import ModelFileError
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.affine.forms import Form
    from volr.affine.terms import Room
    from volr.backends.nir.graph import Graph, Values


def amplified() -> Graph:
    nodes = {
        "input": node("Input", shape=[3]),
        "a": node("Linear", weight=np.ones((4, 3))),
        "amp": node("Amplifier", gain=[2.0]),
        "cells": lif(4),
        "output": node("Output", shape=[4]),
    }
    return graph(nodes, "input a amp cells output", dt="0.001")


def test_a_node_type_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    body = write_graph(amplified())
    with pytest.raises(ModelFileError, match="Volr has no Amplifier"):
        read_nir(body)

    def amplify(values: Values, form: Form, room: Room) -> Form:
        return scaled({"scale": values["gain"]}, form, room)

    row = {"Amplifier": Linear(("gain",), amplify)}
    for user in ("hdf5_read", "import_graph", "primitives"):
        monkeypatch.setattr(f"volr.backends.nir.{user}.PRIMITIVES", {**PRIMITIVES, **row})
    found = read_nir(body).model.parameters["input->cells.weight"]
    plain = graph(
        {**amplified().nodes, "amp": node("Scale", scale=[2.0])},
        "input a amp cells output",
        dt="0.001",
    )
    wanted = read_nir(write_graph(plain)).model.parameters["input->cells.weight"]
    np.testing.assert_array_equal(found, wanted)


def test_an_importer_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = replace(NORSE, name="made_up", resets=("hard",))
    found = document_for(made_up)
    model = model_of(PARALLEL, neuron_of("exp", "hard"))
    files = found.write(model)
    assert compare(expected(model, found.precision), found.read_back(files)).differences == ()
    monkeypatch.setattr(lint, "DIALECTS", {**DIALECTS, "made_up": made_up})
    said = [e for e in lint.of_importers(read_graph(files[".nir"])) if e.importer == "made_up"]
    assert [each.severity for each in said] == ["note"]
    assert any("made_up alone" in e.message for e in lint.lint(files[".nir"]))
