"""NIR files as models with a program, ready to be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.test_nir_read import graph, layered, lif, node, weights
from tests.oracles import random_parameters

from volr import to_network
from volr.backends.nir import NIR
from volr.backends.nir.hdf5_write import write_graph
from volr.backends.reference import forward
from volr.engine.reference import simulate
from volr.errors import ModelFileError, NetworkError
from volr.importing import import_nir
from volr.model_files.model_file import read_model_file, save_model
from volr.models.model import ArtificialModel, SpikingModel

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("nir")

PROGRAM = "dense 5 4 ⦶ (dense 4 3 ⊖ dense 4 2) ⦶ dense 5 6"


def test_a_model_of_ours_keeps_its_program_and_spans(tmp_path: Path) -> None:
    network = to_network(PROGRAM)
    values = random_parameters(network, np.random.default_rng(0), weight=0.5, bias=0.1)
    model = ArtificialModel(network, values)
    found = import_nir(NIR.write(model)[".nir"])
    assert not found.notes
    assert found.model.network == network
    assert found.model.network.populations[1].span == network.populations[1].span
    save_model(found.model, tmp_path / "again.safetensors")
    loaded = read_model_file(tmp_path / "again.safetensors").model
    for name, each in model.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], each)


def test_a_program_that_is_another_networks_is_not_believed() -> None:
    network = to_network(PROGRAM)
    values = random_parameters(network, np.random.default_rng(0), weight=0.5, bias=0.1)
    body = NIR.write(ArtificialModel(network, values))[".nir"]
    for other in ("dense 5 4 ⦶ (dense 4 2 ⊖ dense 4 3) ⦶ dense 5 6", "dense 5 4 ⦶ (dense 4 3 ⊖ ["):
        assert network.source is not None
        # As long as the program that it replaces, in bytes too, or cut to it.
        before, after = PROGRAM.encode(), other.encode()
        assert body.count(before) == 1
        changed = body.replace(before, after.ljust(len(before)))
        found = import_nir(changed)
        assert found.model.network == network
        assert found.model.network.source is not None
        assert found.model.network.source.text == PROGRAM


def test_a_foreign_model_gets_a_program_and_its_names(tmp_path: Path) -> None:
    matrices = weights(scale=20.0)
    body = write_graph(layered([lif(9), lif(4)], matrices))
    path = tmp_path / "net.nir"
    path.write_bytes(body)
    found = import_nir(path, duration=30.0)
    assert isinstance(found.model, SpikingModel)
    source = found.model.network.source
    assert source is not None
    assert source.text == "dense 6 9 ⦶ dense 9 4"
    assert "dense_1 is hidden, dense_2 is last" in found.notes[-1]
    save_model(found.model, tmp_path / "net.safetensors")
    again = read_model_file(tmp_path / "net.safetensors").model
    assert isinstance(again, SpikingModel)
    stimuli = (np.random.default_rng(1).random((3, 6)) < 0.6).astype(float)
    spikes = simulate(again, stimuli).spikes["dense_2"]
    assert spikes.any()


def parallel(order: str) -> Any:
    rng = np.random.default_rng(2)
    nodes = {
        "input": node("Input", shape=[3]),
        "z": node("Linear", weight=rng.normal(size=(4, 3))),
        "a": node("Linear", weight=rng.normal(size=(2, 3))),
        "out1": node("Output", shape=[4]),
        "out0": node("Output", shape=[2]),
    }
    return graph({key: nodes[key] for key in order.split()}, "input z out1", "input a out0")


@pytest.mark.parametrize("order", ["input z a out1 out0", "input a z out0 out1"])
def test_outputs_of_a_foreign_file_stand_in_the_order_of_their_names(order: str) -> None:
    found = import_nir(write_graph(parallel(order)))
    source = found.model.network.source
    assert isinstance(found.model, ArtificialModel)
    assert source is not None
    assert source.text == "dense 3 2 ⊖ dense 3 4"
    x = np.random.default_rng(0).random((2, 3))
    nodes = parallel(order).nodes
    wanted = [x @ nodes[name].values["weight"].T for name in ("a", "z")]
    np.testing.assert_allclose(forward(found.model, x), np.concatenate(wanted, axis=1))


def test_a_way_past_a_layer_is_a_sum() -> None:
    nodes = layered([lif(9), lif(4)], weights()).nodes
    skip = {**nodes, "skip": node("Linear", weight=np.ones((4, 6)))}
    found = import_nir(
        write_graph(graph(dict(skip), "input a hidden b last output", "input skip last"))
    )
    network = found.model.network
    assert network == to_network("dense 6 4 ⊕ (dense 6 9 ⦶ dense 9 4)") or network == to_network(
        "(dense 6 9 ⦶ dense 9 4) ⊕ dense 6 4"
    )
    skipping = next(p for p in network.projections if p.source == "input" and p.target != "dense_1")
    assert np.unique(found.model.parameters[f"{skipping.name}.weight"]).size == 1


def test_what_no_program_says_is_refused() -> None:
    nodes = layered([lif(9), lif(4)], weights()).nodes
    bridge = {
        **nodes,
        "c": node("Linear", weight=np.ones((9, 6))),
        "mid": lif(9),
        "d": node("Linear", weight=np.ones((4, 9))),
        "e": node("Linear", weight=np.ones((9, 9))),
    }
    ways = ("input a hidden b last output", "input c mid d last", "hidden e mid")
    found = graph(dict(bridge), *ways)
    with pytest.raises(NetworkError, match="no program for this network: it is not made of layers"):
        import_nir(write_graph(found))


def test_a_file_of_ours_leaves_nothing_open() -> None:
    network = to_network(PROGRAM)
    values = random_parameters(network, np.random.default_rng(0), weight=0.5, bias=0.1)
    body = NIR.write(ArtificialModel(network, values))[".nir"]
    with pytest.raises(ModelFileError, match="says all of its model itself") as caught:
        import_nir(body, dt=1.0, signal="euler")
    assert caught.value.help == "leave out dt, signal"
