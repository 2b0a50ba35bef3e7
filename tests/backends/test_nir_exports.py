"""A convolutional network that another library exports as NIR, against that library itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.importers.harness import PEERS, missing

from volr import import_nir
from volr.engine.reference import simulate
from volr.models.model import SpikingModel

pytest.importorskip("h5py")

SCRIPT = Path(__file__).parents[1] / "importers" / "exporting.py"


def test_a_network_of_spikingjellys_has_its_spikes(tmp_path: Path) -> None:
    lack = missing()
    if lack is not None:
        if os.environ.get("CI"):
            pytest.fail(lack)
        pytest.skip(lack)
    file, out = tmp_path / "net.nir", tmp_path / "out.npz"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PEERS / "newer")}
    subprocess.run(
        [PEERS / "bin" / "python", SCRIPT, file, out],
        env=environment,
        check=True,
        capture_output=True,
        timeout=200,
    )
    with np.load(out, allow_pickle=False) as arrays:
        frames, wanted = arrays["frames"], arrays["output"]
    model = import_nir(file, duration=22.0).model
    assert isinstance(model, SpikingModel)
    assert [each.shape for each in model.network.populations] == [(1, 9, 8), (3, 5, 8), (4,)]
    (name,) = model.network.outputs
    spikes = simulate(model, frames[0].reshape(len(frames[0]), -1)).spikes[name]
    assert wanted.any()
    # A spike takes a step in each of the two layers.
    np.testing.assert_array_equal(spikes[2:], wanted.astype(bool))
