"""Recordings as those of neo and pandas, against the raw arrays."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import made
from tests.needs import needs_numba

from volr.backends import simulator
from volr.backends.base import Record, Recordings
from volr.errors import DataError, MissingError
from volr.language import to_network

if TYPE_CHECKING:
    from pathlib import Path

    import neo

STEPS, STIMULI, DT = 40, 5, 0.25


def recorded() -> Recordings:
    rng = np.random.default_rng(0)
    spikes = {
        "b": rng.random((STEPS, STIMULI, 7)) < 0.2,
        "a": rng.random((STEPS, STIMULI, 3)) < 0.1,
    }
    spikes["b"][:, 2], spikes["b"][:, :, 4] = False, False
    spikes["a"][-1, 0, 0] = True
    membranes = {"c": rng.normal(-60, 3, (STEPS, STIMULI, 2))}
    return Recordings({"a": spikes["a"].sum(axis=0)}, spikes, membranes, dt=DT)


def test_a_row_of_pandas_for_each_spike() -> None:
    pytest.importorskip("pandas")
    found, raw = recorded().to_pandas(), recorded().spikes
    wanted = [
        (stimulus, name, neuron, (step + 1) * DT)
        for stimulus in range(STIMULI)
        for name, each in raw.items()
        for neuron in range(each.shape[2])
        for step in range(STEPS)
        if each[step, stimulus, neuron]
    ]
    assert [*found.columns] == ["stimulus", "population", "neuron", "time_ms"]
    assert [*found.itertuples(index=False, name=None)] == wanted
    assert [*found["population"].cat.categories] == ["b", "a"]


def check_block(block: neo.Block, raw: Recordings) -> None:
    """Every train and every membrane of each stimulus, from the arrays."""
    assert len(block.segments) == STIMULI
    for stimulus, segment in enumerate(block.segments):
        trains = {
            (train.annotations["population"], int(train.annotations["neuron"])): train
            for train in segment.spiketrains
        }
        assert len(trains) == len(segment.spiketrains) == 10
        for (name, neuron), train in trains.items():
            (steps,) = np.nonzero(raw.spikes[name][:, stimulus, neuron])
            np.testing.assert_allclose(np.sort(train.magnitude), (steps + 1) * DT)
            assert str(train.units.dimensionality) == "ms"
            assert float(train.t_start) == 0.0
            assert float(train.t_stop) == STEPS * DT
            assert int(train.annotations["stimulus"]) == stimulus
        (signal,) = segment.analogsignals
        np.testing.assert_array_equal(signal.magnitude, raw.membranes["c"][:, stimulus])
        assert str(signal.units.dimensionality) == "mV"
        assert float(signal.t_start) == float(signal.sampling_period) == DT
        assert signal.annotations["population"] == "c"


def test_a_segment_of_neo_for_each_stimulus() -> None:
    pytest.importorskip("neo")
    block = recorded().to_neo()
    check_block(block, recorded())
    assert block.annotations["dt_ms"] == DT
    assert [each.annotations["stimulus"] for each in block.segments] == [*range(STIMULI)]
    assert [*block.segments[0].analogsignals[0].array_annotations["neuron"]] == [0, 1]


def test_a_file_of_neo_has_the_same(tmp_path: Path) -> None:
    for package in ("neo", "scipy"):
        pytest.importorskip(package)
    from neo.io import NeoMatlabIO

    file = str(tmp_path / "recordings.mat")
    NeoMatlabIO(filename=file).write_block(recorded().to_neo())
    check_block(NeoMatlabIO(filename=file).read_block(), recorded())


def test_maps_with_their_axes_have_the_neurons_of_rows() -> None:
    pytest.importorskip("pandas")
    network = to_network("conv [1 3 3] 2 2 ⦶ dense _ 3")
    spikes = {"conv_1": np.random.default_rng(0).random((STEPS, 2, 8)) < 0.3}
    flat = Recordings({}, spikes, dt=DT)
    rows = [*flat.to_pandas().itertuples(index=False, name=None)]
    assert [*flat.shaped(network).to_pandas().itertuples(index=False, name=None)] == rows
    pytest.importorskip("neo")
    assert len(flat.shaped(network).to_neo().segments[0].spiketrains) == 8


def test_nothing_spiked() -> None:
    for package in ("neo", "pandas"):
        pytest.importorskip(package)
    silent = Recordings({}, {"a": np.zeros((STEPS, STIMULI, 3), np.bool_)}, dt=DT)
    assert len(silent.to_pandas()) == 0
    assert [len(each.spiketrains) for each in silent.to_neo().segments] == [3] * STIMULI
    assert (
        len(Recordings({}, {"a": np.zeros((STEPS, 0, 3), np.bool_)}, dt=DT).to_neo().segments) == 0
    )


@needs_numba
def test_a_simulator_says_its_time_step() -> None:
    pytest.importorskip("pandas")
    model = made("dense 2 3 ⦶ dense 3 2", dt=0.5, duration=20.0)
    with simulator("engine") as engine:
        found = engine.run(
            model, [[1.0, 0.2], [0.4, 0.9]], record=Record(spikes=("input", "dense_1"))
        )
    assert found.dt == 0.5
    assert found.shaped(model.network).dt == 0.5
    counted = found.to_pandas().groupby(["stimulus", "population"], observed=False).size()
    for name, each in found.spikes.items():
        assert [counted[stimulus, name] for stimulus in (0, 1)] == [*each.sum(axis=(0, 2))]
    assert sum(int(each.sum()) for each in found.spikes.values()) > 10


def test_what_is_missing_is_said() -> None:
    for package in ("neo", "pandas"):
        pytest.importorskip(package)
    counts = Recordings({"a": np.ones((2, 3), np.int64)}, dt=DT)
    with pytest.raises(DataError, match="no spikes in these recordings"):
        counts.to_pandas()
    with pytest.raises(DataError, match="neither spikes nor membranes"):
        counts.to_neo()
    undated = Recordings({}, {"a": np.ones((2, 3, 1), np.bool_)})
    with pytest.raises(DataError, match="how long a time step is"):
        undated.to_pandas()
    assert [*undated.to_pandas(dt=0.5)["time_ms"].to_numpy()] == [0.5, 1.0] * 3
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(DataError, match="a time step of"):
            undated.to_neo(dt=wrong)


@pytest.mark.parametrize(("call", "package"), [("to_neo", "neo"), ("to_pandas", "pandas")])
def test_without_the_package_it_says_what_to_install(
    call: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingError, match=f"{call} needs {package}") as caught:
        getattr(recorded(), call)()
    assert caught.value.help == "pip install 'volr[analysis]'"
