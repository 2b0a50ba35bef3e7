"""Stimuli that are shared out over the workers of a real Dask cluster."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import made, wait_until
from tests.clusters import absent, local_cluster, needs_dask, planted
from tests.needs import needs_nest
from tests.oracles import PlainSimulator

import volr
from volr.backends import shares, simulator
from volr.backends.base import Record
from volr.backends.processes import ProcessEnded
from volr.backends.shares import shared
from volr.errors import BackendError, DataError, MissingError, SimulatorError
from volr.models.coding import Poisson
from volr.models.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = needs_dask
# Two outputs of different depth; what is random differs from stimulus to stimulus.
MODEL = made(
    "dense 3 5 >> (dense 5 4 | dense 5 2 >> dense 2 3)", coding=Poisson(400.0), duration=20.0
)
STIMULI = np.random.default_rng(1).random((11, 3))
EVERYTHING = Record(
    counts=tuple(MODEL.network.by_name),
    spikes=tuple(MODEL.network.by_name),
    membranes=tuple(each.name for each in MODEL.network.layers),
)


@pytest.fixture(scope="module")
def cluster() -> Generator[Any]:
    with local_cluster(1) as started:
        yield started


@pytest.fixture
def four_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the stimuli by three."""
    each = MODEL.steps * MODEL.network.neuron_count
    monkeypatch.setattr(shares, "SHARE", 3 * each + 1)


@needs_nest
def test_recordings_are_those_of_one_machine_with_one_worker_and_with_two(
    cluster: Any, four_shares: None
) -> None:
    del four_shares
    samples = Samples(STIMULI, np.arange(11) % 7)
    with simulator("nest") as nest:
        expected = nest.run(MODEL, STIMULI, record=EVERYTHING, seed=5, first=2)
        answers = volr.evaluate(MODEL, samples, nest, seed=5)
        nothing = nest.run(MODEL, STIMULI[:0], record=EVERYTHING)
    for workers in (1, 2):
        cluster.scale(workers)
        cluster.wait_for_workers(workers)
        told: list[int] = []
        with simulator("nest", dask=cluster.scheduler_address) as nest:
            found = nest.run(
                MODEL, STIMULI, record=EVERYTHING, seed=5, first=2, progress=told.append
            )
            again = volr.evaluate(MODEL, samples, nest, seed=5)
            assert nest.run(MODEL, STIMULI[:0], record=EVERYTHING) == nothing
            assert volr.verify(MODEL, nest, STIMULI, seed=5).equal
        assert found == expected
        assert sorted(told) == [2, 3, 3, 3]
        assert (again.correct, again.ties) == (answers.correct, answers.ties)
    assert all(each.any() for each in expected.spikes.values())


def test_a_lost_worker_costs_its_share_once_more(
    cluster: Any, four_shares: None, tmp_path: Path
) -> None:
    del four_shares
    (tmp_path / "dies").touch()
    with shared(planted(tmp_path), cluster.scheduler_address) as there:
        found = there.run(MODEL, STIMULI, record=EVERYTHING, seed=5)
    assert found == PlainSimulator().run(MODEL, STIMULI, record=EVERYTHING, seed=5)
    begun = Counter(map(int, (tmp_path / "begun").read_text().split()))
    assert sorted(begun) == [0, 3, 6, 9]
    assert sorted(begun.values()) == [1, 1, 1, 2]


def test_ctrl_c_leaves_no_share_behind(cluster: Any, four_shares: None, tmp_path: Path) -> None:
    del four_shares

    def press(_: int) -> None:
        raise KeyboardInterrupt

    with shared(planted(tmp_path), cluster.scheduler_address) as there:
        with pytest.raises(KeyboardInterrupt):
            there.run(MODEL, STIMULI, progress=press)
        wait_until(lambda: not cluster.scheduler.tasks)
        assert len(there.run(MODEL, STIMULI).counts["dense_2"]) == 11


def test_errors_of_a_worker_say_what_is_wrong_there(
    cluster: Any, four_shares: None, tmp_path: Path
) -> None:
    del four_shares
    address = cluster.scheduler_address
    with shared(absent(), address) as there:
        for act in (lambda: there.run(MODEL, STIMULI), lambda: there.read_back(MODEL)):
            with pytest.raises(
                MissingError, match=r"on the worker tcp://.*: absent needs no_such, which is not"
            ) as missing:
                act()
            assert missing.value.help == "pip install 'volr[absent]'"
        # Before anything is sent.
        with pytest.raises(DataError, match="value 2 of stimulus 0 is 2"):
            there.run(MODEL, [[0.0, 1.0, 2.0]])
    # Each has a folder of its own: a worker may still be at a share that was let go.
    failing, dying = tmp_path / "failing", tmp_path / "dying"
    for folder, plant in ((failing, "fails"), (dying, "dies")):
        folder.mkdir()
        (folder / plant).touch()
    with (
        shared(planted(failing), address) as there,
        pytest.raises(SimulatorError, match="a worker of the cluster failed: KeyError: 'its own"),
    ):
        there.run(MODEL, STIMULI)
    # Dask gives up a share whose workers die again and again.
    cluster.scheduler.allowed_failures = 0
    with (
        shared(planted(dying), address) as there,
        pytest.raises(SimulatorError, match=r"a worker of the cluster failed: KilledWorker: .*die"),
    ):
        there.run(MODEL, STIMULI)


def test_the_device_is_that_of_one_machine() -> None:
    with pytest.raises(BackendError, match="run on their processors alone, and not on cuda"):
        simulator("engine", device="cuda", dask="tcp://127.0.0.1:1")
    with pytest.raises(BackendError, match="torch runs artificial models and simulates nothing"):
        simulator("torch", dask="tcp://127.0.0.1:1")


def test_the_end_of_a_process_can_be_sent() -> None:
    ended = pickle.loads(pickle.dumps(ProcessEnded("the NEST process was ended", -9)))
    assert (ended.message, ended.code) == ("the NEST process was ended", -9)
