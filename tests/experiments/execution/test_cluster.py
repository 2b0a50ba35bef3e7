"""Runs on a real cluster of Dask's: a scheduler and three workers, one of which is killed."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.running import wait_until
from tests.experiments.examples import made_by, plan_of
from tests.experiments.execution.planted import plant

from volr.errors import BackendError, VolrError
from volr.experiments.execution.cluster import Cluster
from volr.experiments.execution.here import Here
from volr.system import cluster as cluster_module

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.experiments.execution.planted import Plants

pytest.importorskip("distributed")
# Dask leaves sockets to the collector, some of them within its own event loop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PLAN = plan_of("snn-transferred")


@pytest.fixture
def plants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plants:
    """Real runs on the workers, with what the tests plant before them."""
    pytest.importorskip("torch")
    pytest.importorskip("numba")
    return plant(tmp_path / "plants", monkeypatch, real=True)


@pytest.fixture
def cluster(plants: Plants) -> Generator[Any]:
    import distributed

    del plants
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as started:
        yield started


def test_a_cluster_gives_what_this_process_does_also_where_a_worker_is_killed(
    cluster: Any, plants: Plants, tmp_path: Path
) -> None:
    expected = made_by(Here(), PLAN, tmp_path / "here")
    plants.deaths("nand-0-ann", 1)
    found = made_by(Cluster(cluster.scheduler_address), PLAN, tmp_path / "cluster")
    assert found == expected
    assert len(found) == 8
    assert plants.begun("nand-0-ann") == [1, 1]
    assert plants.begun("nand-1-ann") == [1]
    # A bug in a run is no reason to try again, and costs no other run.
    plants.fails("xor-1-ann", "python")
    with pytest.raises(VolrError, match="2 of the runs failed; the others are kept") as caught:
        made_by(Cluster(cluster.scheduler_address), PLAN, tmp_path / "failing")
    assert "xor-1-ann: a worker of the cluster failed: KeyError: " in caught.value.message
    assert len(plants.begun("xor-1-ann")) == 2
    assert len(list((tmp_path / "failing" / "runs").glob("*.json"))) == 6


def test_a_scheduler_that_is_lost_is_an_error_message_and_nothing_else(
    plants: Plants, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", f"{port}", "--no-dashboard")
    worker = dask("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    plants.waits("xor-0-ann")

    def kill() -> None:
        wait_until(lambda: plants.begun("xor-0-ann"))
        scheduler.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(BackendError, match=r"scheduler at tcp://.* has ended"):
            made_by(Cluster(address), PLAN, tmp_path / "cluster")
        assert caplog.messages == []
        assert logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)
    finally:
        killer.join()
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def test_where_no_scheduler_is_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cluster_module.PATIENCE < 20
    monkeypatch.setattr(cluster_module, "PATIENCE", 2.0)
    started = time.monotonic()
    with pytest.raises(BackendError, match="no Dask scheduler answers at tcp://") as caught:
        Cluster(f"tcp://127.0.0.1:{free_port()}")
    assert time.monotonic() - started < 10
    assert caught.value.help is not None
    assert "dask scheduler" in caught.value.help


@pytest.mark.parametrize("address", ["", "nonsense", "http://127.0.0.1:80", "tcp://"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(BackendError, match="no Dask scheduler answers"):
        Cluster(address)


def test_another_server_is_no_scheduler() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        other = threading.Thread(target=answer)
        other.start()
        with pytest.raises(BackendError, match="no Dask scheduler answers"):
            Cluster(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        other.join()


def dask(*arguments: str) -> subprocess.Popen[bytes]:
    """A part of a cluster in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
