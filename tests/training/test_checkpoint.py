"""A training that is cut short goes on to the very same result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.needs import needs, needs_numba
from tests.oracles import fork

from volr.errors import TrainingError
from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.coding import Poisson
from volr.models.samples import Samples
from volr.training import (
    SpikingSettings,
    Training,
    TrainingSettings,
    checkpoint,
    train_ann,
    train_in_loop,
    train_snn,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAMPLES = Samples(
    np.random.default_rng(7).random((160, 12)), np.random.default_rng(8).integers(0, 5, 160)
)
# So large that one candidate goes on alone after a few updates.
IMAGE = to_network("conv [1 3 4] 8 [2 3] ⦶ dense _ 200 ⦶ dense _ 5")
SETTINGS = TrainingSettings(epochs=6, batch_size=32, seed=3)
WHOLE = replace(SETTINGS, normalise="batch", dropout=0.2, shift=1, schedule="one_cycle")


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0.0)


class CutError(Exception):
    """Stands for whatever ends a process."""


def cut_after(epoch: int) -> Callable[..., None]:
    def progress(done: int, of: int, loss: float, accuracy: float | None) -> None:
        del of, loss, accuracy
        # This is called before the epoch is written.
        if done == epoch + 1:
            raise CutError

    return progress


def check_goes_on(train: Callable[..., Training[Any]], path: Path, *cuts: int) -> Training[Any]:
    whole = train()
    for cut in cuts:
        with pytest.raises(CutError):
            train(checkpoint=path, progress=cut_after(cut))
    found = train(checkpoint=path)
    assert found.went_on_after == cuts[-1]
    assert whole.went_on_after == 0
    assert found == whole
    return found


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        WHOLE,
        replace(WHOLE, candidates=1, validation=0.0),
        replace(SETTINGS, optimizer="sgd", momentum=0.9, weight_decay=0.01),
        replace(SETTINGS, optimizer="sgd", patience=1, learning_rate=1e-9, epochs=9),
    ],
    ids=["plain", "normalised", "alone", "momentum", "patience"],
)
def test_an_artificial_network_goes_on(settings: TrainingSettings, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    cuts = (1,) if settings.patience else (1, 3, 4)
    check_goes_on(partial(train_ann, IMAGE, SAMPLES, settings), path, *cuts)
    # Nothing is left to do.
    again = train_ann(IMAGE, SAMPLES, settings, checkpoint=path)
    assert again.went_on_after == len(again.history)


def test_all_candidates_of_a_small_network_go_on(tmp_path: Path) -> None:
    network = fork(12, 3, 6, 5)
    found = check_goes_on(
        partial(train_ann, network, SAMPLES, SETTINGS), tmp_path / "checkpoint", 2
    )
    assert found.candidates == 16


@needs_numba
def test_spiking_networks_go_on_with_the_input_spikes_of_their_minibatches(tmp_path: Path) -> None:
    network, settings = fork(12, 3, 6, 5), replace(SETTINGS, epochs=3, candidates=2)
    spiking = SpikingSettings(coding=Poisson(rate_max=300.0), duration=10.0, dt=1.0)
    in_engine = partial(train_snn, network, SAMPLES, settings, spiking)
    check_goes_on(in_engine, tmp_path / "engine", 1)
    in_loop = partial(train_in_loop, network, SAMPLES, "engine", settings, spiking)
    check_goes_on(in_loop, tmp_path / "loop", 1)


@needs("futhark", "cc", "futhark_ffi")
def test_training_on_futhark_goes_on(tmp_path: Path) -> None:
    network, settings = fork(12, 3, 6, 5), replace(SETTINGS, epochs=3, candidates=2)
    train = partial(train_ann, network, SAMPLES, settings, on="futhark")
    check_goes_on(train, tmp_path / "checkpoint", 1)


KILLED = """
import sys, numpy as np
from pathlib import Path
import tests.training.test_checkpoint as tests
from volr.training import checkpoint, train_ann
checkpoint.INTERVAL = 0.0
def slowly(*_):
    import time
    time.sleep(0.3)
train_ann(tests.IMAGE, tests.SAMPLES, tests.WHOLE, checkpoint=sys.argv[1], progress=slowly)
"""


def test_a_process_that_is_killed_loses_nothing_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], env=environment) as process:
        until = time.monotonic() + 60
        while not path.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    found = train_ann(IMAGE, SAMPLES, WHOLE, checkpoint=path)
    assert 1 <= found.went_on_after < 6
    assert found == train_ann(IMAGE, SAMPLES, WHOLE)


def begun(path: Path) -> Path:
    with pytest.raises(CutError):
        train_ann(IMAGE, SAMPLES, SETTINGS, checkpoint=path, progress=cut_after(2))
    return path


def test_another_training_is_told_how_it_differs(tmp_path: Path) -> None:
    path = begun(tmp_path / "checkpoint")
    before = path.read_bytes()
    others: list[tuple[Any, str]] = [
        ((IMAGE, SAMPLES, replace(SETTINGS, epochs=7)), "--epochs was 6, and is 7"),
        ((IMAGE, SAMPLES, replace(SETTINGS, seed=4, dropout=0.5)), "--dropout was 0.0, and is 0.5"),
        (
            (IMAGE, SAMPLES, replace(SETTINGS, learning_rate=0.5, optimizer="sgd")),
            "--optimizer was adam, and is sgd; --learning-rate was not given, and is 0.5",
        ),
        (
            (IMAGE, SAMPLES, replace(SETTINGS, activation=Tanh(), normalise="batch")),
            "--normalise was not given, and is batch; --activation was relu, and is tanh",
        ),
        ((IMAGE, SAMPLES.first(150), SETTINGS), "the training samples are others"),
        ((fork(12, 3, 6, 5), SAMPLES, SETTINGS), "the program is another one"),
    ]
    for given, said in others:
        with pytest.raises(TrainingError, match=f"is that of another training: .*{said}") as caught:
            train_ann(*given, checkpoint=path)
        assert "`volr train --fresh`" in str(caught.value.help)
    initial = train_ann(IMAGE, SAMPLES, replace(SETTINGS, epochs=1)).model
    with pytest.raises(TrainingError, match="initial was not given, and is now"):
        train_ann(IMAGE, SAMPLES, SETTINGS, initial=initial, checkpoint=path)
    with pytest.raises(TrainingError, match="were --as ann --on torch, and are --as snn --device"):
        train_snn(IMAGE, SAMPLES, SETTINGS, checkpoint=path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = begun(tmp_path / "checkpoint")
    body = path.read_bytes()
    for damaged in (body[:-9], body[:-9] + bytes([body[-9] ^ 1]) + body[-8:], b"", b"no file"):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"is damaged|cannot be read"):
            train_ann(IMAGE, SAMPLES, SETTINGS, checkpoint=path)
    path.unlink()
    path.mkdir()
    with pytest.raises(TrainingError, match="cannot read the checkpoint"):
        train_ann(IMAGE, SAMPLES, SETTINGS, checkpoint=path)


def test_the_file_is_safetensors_with_all_of_the_state(tmp_path: Path) -> None:
    from safetensors import safe_open

    with safe_open(begun(tmp_path / "checkpoint"), framework="numpy") as file:
        names, metadata = set(file.keys()), file.metadata() or {}
    weight = "input->conv_1.weight"
    assert names >= {f"now {weight}", f"best {weight}", f"optimizer exp_avg {weight}", "random"}
    assert json.loads(metadata["volr.state"])["epoch"] == 2


def test_short_epochs_do_not_write_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 3600.0)
    train_ann(IMAGE, SAMPLES, SETTINGS, checkpoint=tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()
