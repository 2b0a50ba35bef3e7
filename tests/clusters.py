"""A Dask cluster on this machine, whose workers are processes, and back ends that fail on them."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.oracles import PlainSimulator

from volr.backends.refusals import require

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from volr.backends.base import Recordings, Simulator, SpikingBackend
    from volr.models.model import SpikingModel
    from volr.models.spike_trains import SpikeTrains

REPOSITORY = Path(__file__).parents[1]

# Dask leaves sockets to the collector, some of them within its own event loop.
needs_dask = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextmanager
def local_cluster(workers: int) -> Generator[Any]:
    """A scheduler in this process, and so many workers in processes of their own."""
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        # The source beside these tests, wherever the installed one is.
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "src"))))
        with distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as started:
            yield started


@dataclass(frozen=True)
class Planted(PlainSimulator):
    """Does in its runs what files in ``folder`` say, and writes there which runs have begun."""

    folder: Path

    def run(
        self, model: SpikingModel, stimuli: ArrayLike | SpikeTrains, **others: Any
    ) -> Recordings:
        with (self.folder / "begun").open("a") as file:
            file.write(f"{others['first']}\n")
        try:
            (self.folder / "dies").unlink()
        except FileNotFoundError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
        if (self.folder / "fails").exists():
            raise KeyError("its own words")
        return super().run(model, stimuli, **others)


def planted(folder: Path) -> SpikingBackend:
    """A back end that writes into this folder; each worker keeps it under the folder's name."""
    return replace(PlainSimulator.backend, name=folder.name, start=partial(_planted, folder))


def _planted(folder: Path) -> AbstractContextManager[Simulator]:
    return nullcontext(Planted(folder))


def absent() -> SpikingBackend:
    """A back end of which the workers lack a package."""
    return replace(PlainSimulator.backend, name="absent", start=_absent)


def _absent() -> AbstractContextManager[Simulator]:
    require(replace(PlainSimulator.backend, name="absent", requires=("no_such",), extra="absent"))
    raise AssertionError
