"""`train`: the model it writes, what it says, and what it refuses before it begins."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import snapshot

from volr.model_files.model_file import read_model_file
from volr.models.activations import Tanh
from volr.models.model import ArtificialModel
from volr.training import checkpoint, train_ann

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

QUICK = ("--epochs", "2", "--candidates", "2")


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch")


def test_a_program_becomes_a_model_with_its_origin(volr: Volr, folder: Path) -> None:
    result = volr("train", "xor.volr", "--task", "xor", "--out", "new/m.st", "--seed", "5", *QUICK)
    assert (result.code, result.out) == (0, "")
    assert re.search(r"^kept epoch \d of 2.*: loss ", result.err, re.MULTILINE)
    assert result.err.endswith("wrote new/m.st\n")
    loaded = read_model_file(folder / "new" / "m.st")
    assert isinstance(loaded.model, ArtificialModel)
    assert loaded.model.network.source is not None
    assert loaded.model.network.source.text == "dense 2 4 ⦶ dense 4 2\n"
    assert loaded.origin == {"task": "xor", "seed": 5, "condition": "ann"}


@pytest.mark.usefixtures("folder")
def test_fewer_candidates_than_asked_are_told(volr: Volr) -> None:
    common = ("train", "xor.volr", "--task", "xor", "--epochs", "1", "--out", "m")
    assert volr(*common, "--candidates", "1000").err.startswith(
        "training began with 1 candidate, not 1,000, which would take too much memory or time; "
        "with fewer --candidates, or more --epochs, it may have a choice\n"
    )
    assert "training began" not in volr(*common, "--candidates", "2").err


def test_options_reach_the_training(volr: Volr, folder: Path) -> None:
    common = ("train", "-", "--task", "nand", *QUICK)
    options = {
        "a": (),
        "b": (),
        "seed": ("--seed", "1"),
        "rate": ("--learning-rate", "0.02"),
        "sgd": ("--optimizer", "sgd", "--momentum", "0.5"),
        "decay": ("--weight-decay", "0.5"),
        "loss": ("--loss", "mse"),
        "batch": ("--batch-size", "100"),
        "schedule": ("--schedule", "constant"),
        "validation": ("--validation", "0", "--activation", "tanh"),
    }
    weights: dict[str, bytes] = {}
    for name, each in options.items():
        result = volr(*common, "--out", name, *each, stdin=b"dense 2 3 >> dense 3 2")
        assert result.code == 0, result.err
        model = read_model_file(folder / name).model
        weights[name] = b"".join(value.tobytes() for value in model.parameters.values())
        if name == "validation":
            assert isinstance(model, ArtificialModel)
            assert model.activation == Tanh()
            assert "validation accuracy" not in result.err
    assert weights["a"] == weights["b"]
    assert len(set(weights.values())) == len(options) - 1


def test_digits_are_learned(volr: Volr, folder: Path) -> None:
    pytest.importorskip("sklearn")
    program = "dense 64 10 ⦶ dense 10 10".encode()
    arguments = ("train", "-", "--task", "digits", "--out", "m", "--epochs", "5")
    assert volr(*arguments, "--candidates", "1", stdin=program).code == 0
    values = read_model_file(folder / "m").model.parameters
    assert {name: value.shape for name, value in values.items()} == {
        "input->dense_1.weight": (10, 64),
        "dense_1->dense_2.weight": (10, 10),
        "dense_1.bias": (10,),
        "dense_2.bias": (10,),
    }
    assert all(np.isfinite(value).all() for value in values.values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.volr", "--task", "xor"), "there is no such file"),
        (("three.volr", "--task", "xor"), "takes 3 inputs, and the task offers 2"),
        (("bad.volr", "--task", "xor"), "bad.volr:1:13: error: "),
        (("xor.volr", "--task", "xro"), "did you mean 'xor'?"),
        (("xor.volr", "--task", "xor", "--activation", "rleu"), "did you mean 'relu'?"),
        (("xor.volr", "--task", "xor", "--validation", "1.5"), "validation is 1.5"),
        (("xor.volr", "--task", "xor", "--validation", "nan"), "validation is nan"),
        (("xor.volr", "--task", "xor", "--learning-rate", "0"), "learning_rate is 0.0"),
        (("xor.volr", "--task", "xor", "--momentum", "0.9"), "adam does not take"),
        (("xor.volr", "--task", "xor", "--learning-rate", "1e30"), "training diverged"),
        (("xor.volr", "--task", "xor", "--out", "."), "it is a folder"),
        (("xor.volr", "--task", "xor", "--out", "xor.volr"), "would be lost"),
        (("xor.volr", "--task", "xor", "--out", "xor.volr/m"), "Not a directory"),
        (("xor.volr", "--task", "xor", "--out", "three.volr"), "that is a program, which would be"),
        (("mnist.volr", "--task", "mnist", "--data", "nowhere"), "data folder nowhere is not"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    volr: Volr, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    programs = {"three": "dense 3 2", "bad": "dense 2 4 ⦶ dense 3 2", "mnist": "dense 100 10"}
    for name, text in programs.items():
        (folder / f"{name}.volr").write_text(text, encoding="utf-8")
    before = snapshot(folder)
    result = volr("train", "--out", "m", *arguments, *QUICK)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


def training(*_: object, **__: object) -> None:
    pytest.fail("it trained")


def test_an_impossible_file_is_refused_before_the_training(
    volr: Volr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.training.train_ann", training)
    result = volr("train", "xor.volr", "--task", "xor", "--out", "/proc/volr/m")
    assert result.code == 1
    assert result.err.startswith("error: cannot write /proc/volr/m: ")


def test_dead_neurons_are_told(volr: Volr, monkeypatch: pytest.MonkeyPatch) -> None:
    def deadly(*arguments: object, **named: object) -> object:
        trained = train_ann(*arguments, **named)  # type: ignore[arg-type]
        return replace(trained, dead={"dense_1": 3})

    monkeypatch.setattr("volr.training.train_ann", deadly)
    result = volr("train", "xor.volr", "--task", "xor", "--out", "m", *QUICK)
    assert "dense_1: 3 of 4 neurons never fire on the training data\n" in result.err


def test_the_same_command_goes_on_after_ctrl_c(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("train", "xor.volr", "--task", "xor", "--epochs", "4", "--candidates", "2")
    assert volr(*command, "--out", "whole").code == 0
    write = checkpoint.Checkpoint.write

    def interrupted(self: checkpoint.Checkpoint, kept: checkpoint.Kept) -> None:
        write(self, kept)
        if kept.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "INTERVAL", 0.0)
        patched.setattr(checkpoint.Checkpoint, "write", interrupted)
        result = volr(*command, "--out", "m")
    assert result.code == 130
    assert "the same command goes on from m.checkpoint\n" in result.err
    assert not (folder / "m").exists()
    # Another training does not begin where the file is.
    refused = volr(*command, "--out", "m", "--seed", "1")
    assert refused.code == 1
    assert "m.checkpoint is that of another training" in refused.err
    result = volr(*command, "--out", "m")
    assert result.err.startswith("training went on after epoch 2, from its checkpoint\n")
    assert (folder / "m").read_bytes() == (folder / "whole").read_bytes()
    assert not (folder / "m.checkpoint").exists()


def test_fresh_begins_anew_and_a_checkpoint_may_have_its_own_name(volr: Volr, folder: Path) -> None:
    command = ("train", "xor.volr", "--task", "xor", *QUICK)
    (folder / "m.checkpoint").write_bytes(b"damaged")
    assert "the checkpoint m.checkpoint cannot be read" in volr(*command, "--out", "m").err
    assert volr(*command, "--out", "m", "--fresh").code == 0
    # What somebody names may be something else.
    model = (folder / "m").read_bytes()
    refused = volr(*command, "--out", "n", "--checkpoint", "m", "--fresh")
    assert "m is no checkpoint, so it stays as it is" in refused.err
    assert (folder / "m").read_bytes() == model
    assert not (folder / "n").exists()


def test_a_checkpoint_is_no_other_file_of_the_training(volr: Volr, folder: Path) -> None:
    command = ("train", "xor.volr", "--task", "xor", *QUICK)
    refused = volr(*command, "--out", "m", "--checkpoint", "./m")
    assert "the checkpoint m would be the file of --out" in refused.err
    assert volr(*command, "--out", "m").code == 0
    again = ("--as", "snn", "--start", "m", "--out", "n", "--checkpoint", "m")
    assert "the checkpoint m would be the file of --start" in volr(*command[:4], *again).err
    assert (folder / "m").exists()


@pytest.mark.parametrize("validation", ["0.2", "0"])
def test_the_last_line_is_about_the_epoch_that_is_kept(volr: Volr, validation: str) -> None:
    # So high a rate that the loss goes up and down.
    options = ("--epochs", "6", "--candidates", "1", "--learning-rate", "0.5")
    result = volr(
        *("train", "xor.volr", "--task", "xor", "--out", "m"), *options, "--validation", validation
    )
    kept = re.search(r"^kept epoch (\d) of 6(.*?): loss [\d.]+(.*)$", result.err, re.MULTILINE)
    assert kept is not None, result.err
    if validation == "0":
        assert kept.groups() == ("6", "", "")
    else:
        assert kept[2] == ", the best"
        assert re.fullmatch(r", validation accuracy [\d.]+", kept[3])
