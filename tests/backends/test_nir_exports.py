"""Networks that other libraries export as NIR, against these libraries themselves."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.conformance import Started, every_simulator
from tests.importers.harness import PEERS, missing

from volr import import_nir
from volr.backends.base import Record
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.models.model import SpikingModel
from volr.models.spike_trains import SpikeTrains

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest.importorskip("h5py")

IMPORTERS = Path(__file__).parents[1] / "importers"
# How each library means the nodes that it exports: see "What is in a NIR file" in the how-to.
BY_LAYER: dict[str, dict[str, Any]] = {
    "snntorch subtract": {"reset": "subtract"},
    "snntorch zero": {},
    "norse leaky": {},
    "norse kinds": {},
    "sinabs subtract": {"reset": "subtract", "signal": "jump"},
    "sinabs zero": {"signal": "jump"},
}


def export(script: str, *arguments: str | Path, newer: bool = True) -> None:
    """Run a script in the peers' environment."""
    lack = missing()
    if lack is not None:
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    path = str(PEERS / "newer") if newer else ""
    done = subprocess.run(
        [PEERS / "bin" / "python", IMPORTERS / script, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr


def arrays_in(file: Path) -> dict[str, NDArray[Any]]:
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def by_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of networks whose layers have different neurons."""
    folder = tmp_path_factory.mktemp("by_layer")
    for library in dict.fromkeys(name.partition(" ")[0] for name in BY_LAYER):
        export("exporting_by_layer.py", library, folder, newer=library != "sinabs")
    return folder


@every_simulator
def test_layers_of_different_neurons_have_the_librarys_spikes_on_every_simulator(
    started: Started, by_layer: Path
) -> None:
    record, simulator = started
    ran = 0
    for name, settings in BY_LAYER.items():
        arrays = arrays_in(by_layer / f"{name}.npz")
        wanted = arrays["output"].astype(bool)
        assert wanted.any()
        assert not wanted.all()
        imported = import_nir(by_layer / f"{name}.nir", **settings)
        model = imported.model
        assert isinstance(model, SpikingModel)
        assert set(model.neurons) == {"dense_2"}
        # A spike takes a step in each of the two layers, which the notes tell.
        assert any("a spike takes one step" in note for note in imported.notes)
        model = replace(model, duration=(len(wanted) + 2) * model.dt)
        (output,) = model.network.outputs
        try:
            found = simulator.run(
                model, SpikeTrains(arrays["trains"]), record=Record(counts=(), spikes=(output,))
            )
        except UnsupportedError:
            # NEST's neurons with that reset rest for a step, and PyNN has none; NEURON has none
            # whose membrane jumps.
            assert model.neuron.reset == "subtract" or record.name == "pynn.neuron"
            continue
        ran += 1
        np.testing.assert_array_equal(found.spikes[output][2:], wanted, err_msg=name)
    assert ran == {"engine": 6, "brian2": 6, "pynn.neuron": 0}.get(record.name, 4)


def test_a_network_of_spikingjellys_has_its_spikes(tmp_path: Path) -> None:
    file, out = tmp_path / "net.nir", tmp_path / "out.npz"
    export("exporting.py", file, out)
    arrays = arrays_in(out)
    frames, wanted = arrays["frames"], arrays["output"]
    model = import_nir(file, duration=22.0).model
    assert isinstance(model, SpikingModel)
    assert [each.shape for each in model.network.populations] == [(1, 9, 8), (3, 5, 8), (4,)]
    (name,) = model.network.outputs
    spikes = simulate(model, frames[0].reshape(len(frames[0]), -1)).spikes[name]
    assert wanted.any()
    # A spike takes a step in each of the two layers.
    np.testing.assert_array_equal(spikes[2:], wanted.astype(bool))
