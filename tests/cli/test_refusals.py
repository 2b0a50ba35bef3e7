"""Models and networks that cannot be: refused by every command that would run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.running import made, rewritten

from volr.model_files.container import packed, unpack
from volr.model_files.model_file import save_model
from volr.models.coding import Poisson

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

TRAIN = ("train", "xor.volr", "--task", "xor", "--as", "snn", "--out", "m")


@pytest.fixture(autouse=True)
def _packages() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('"delay": 0.5', '"delay": 0.7', "delay 0.7 ms is not a whole number of steps of 0.5 ms"),
        ('"dt": 0.5', '"dt": -0.5', "dt is -0.5 ms, not above 0"),
        ('"tau_m": 20.0', '"tau_m": -20.0', "if_curr_exp: tau_m is -20.0, not above 0"),
    ],
)
def test_a_model_file_that_cannot_be_is_refused(
    volr: Volr, folder: Path, spiking: Path, was: str, now: str, said: str
) -> None:
    found = unpack(spiking)
    assert was in found.description
    (folder / "bad").write_bytes(packed(found.arrays, found.description.replace(was, now)))
    for command in (("evaluate", "bad", "--task", "xor"), (*TRAIN, "--start", "bad")):
        result = volr(*command)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("error: bad: ")
        assert said in result.err


def test_weights_that_are_no_numbers_are_refused_wherever_they_would_run(
    volr: Volr, folder: Path, spiking: Path, model: Path
) -> None:
    rewritten(spiking, folder / "bad-snn", **{"dense_1.bias": float("inf")})
    rewritten(model, folder / "bad-ann", **{"dense_1.bias": float("nan")})
    for command in (
        ("evaluate", "bad-snn", "--task", "xor"),
        ("evaluate", "bad-ann", "--task", "xor"),
        ("transfer", "bad-ann", "--task", "xor", "--out", "m"),
    ):
        result = volr(*command)
        assert (result.code, result.out) == (1, "")
        assert "dense_1.bias has values that are not finite numbers" in result.err


@pytest.mark.parametrize(
    ("program", "options", "said"),
    [
        ("dense 784 200000 >> dense 200000 10", (), "for input->dense_1.weight"),
        ("dense 784 200000 >> dense 200000 10", ("--as", "snn"), "for input->dense_1.weight"),
        ("dense 784 2000 >> dense 2000 10", ("--as", "snn", "--duration", "5000"), "for dense_1"),
    ],
)
def test_a_network_that_memory_does_not_hold_is_refused(
    volr: Volr,
    monkeypatch: pytest.MonkeyPatch,
    mnist_dir: Path,
    program: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 2_000_000_000)
    common = ("train", "-", "--task", "mnist", "--data", mnist_dir, "--out", "m")
    result = volr(*common, *options, stdin=program.encode())
    assert result.code == 1
    assert result.err.startswith("error: there is not enough memory to train ")
    assert f" {said}, and 2 GB are free\n" in result.err


def test_a_simulation_that_memory_does_not_hold_is_refused(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.system.memory.available", lambda: 2_000_000_000)
    wide = made("dense 2 4000 >> dense 4000 2", duration=500_000.0, coding=Poisson(100.0))
    save_model(wide, folder / "wide")
    long = made("dense 2 4 >> dense 4 2", duration=500_000.0)
    save_model(long, folder / "long")
    for name, said in {
        "wide": "stimuli of 1,000,000 steps at once: it takes ",
        "long": "spike trains of 1,000,000 steps that inputs can have: it takes ",
    }.items():
        result = volr("evaluate", name, "--task", "xor")
        assert result.code == 1
        assert said in result.err
        assert "needs less, and makes another network\n" in result.err
    assert "for dense_1, and 2 GB are free" in volr("evaluate", "wide", "--task", "xor").err


def test_the_way_out_is_of_the_command_at_hand(volr: Volr, model: Path, spiking: Path) -> None:
    xor = ("--task", "xor")
    for arguments, code, said in (
        (("train", model, *xor, "--out", "x"), 1, f"--start {model}"),
        (("check", model), 1, "`volr transfer`, `volr explain`, `volr verify`"),
        (("transfer", model, "--task", "digits", "--out", "x"), 1, "its own task: --task xor"),
        (("verify", model, "--task", "digits", "--on", "torch"), 1, "its own task: --task xor"),
        (("transfer", model, *xor, "--delay", "60", "--out", "x"), 1, "the delay is 60 ms"),
        (("verify", model, "--on", "nest, engine"), 2, "repeat the option: --on nest --on engine"),
        (
            ("train", "xor.volr", *xor, "--as", "snn", "--on", "nest", "--out", "x"),
            2,
            "--in-loop nest",
        ),
        (("train", "xor.volr", *xor, "--on", "TORCH", "--out", "x"), 1, "did you mean 'torch'?"),
        (
            ("train", "xor.volr", *xor, "--device", "gpu", "--out", "x"),
            2,
            "'--device': 'gpu' is not",
        ),
        (("transfer", model, *xor, "-p", "tau_m", "10", "--out", "x"), 2, "write tau_m=10"),
        (("evaluate", model, *xor, "--on", "Torch"), 1, "did you mean 'torch'?"),
        (("evaluate", model, "--task", "XOR"), 1, "did you mean 'xor'?"),
    ):
        result = volr(*arguments)
        assert (result.code, result.out) == (code, ""), result.err
        assert said in result.err
    result = volr("verify", spiking, "--task", "nand", "--on", "engine")
    assert result.code == 0
    assert "was trained on xor, and not on nand" in result.err


def test_a_wrong_number_of_cores_is_told_by_every_command(
    volr: Volr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLR_CORES", "zwei")
    result = volr("check", "xor.volr")
    assert (result.code, result.out) == (1, "")
    assert "VOLR_CORES is 'zwei'" in result.err


@pytest.mark.parametrize(
    "command",
    [
        ("train", "xor.volr", "--task", "xor", "--out", "m"),
        ("transfer", "ann.safetensors", "--task", "xor", "--out", "m"),
        ("evaluate", "ann.safetensors", "--task", "xor"),
        ("explain", "ann.safetensors", "--task", "xor"),
        ("verify", "ann.safetensors", "--task", "xor"),
        ("search", "xor"),
        ("experiment", "nand", "xor"),
    ],
)
def test_a_data_folder_is_for_tasks_with_files(
    volr: Volr, folder: Path, model: Path, command: tuple[str, ...]
) -> None:
    if command[0] == "search":
        pytest.importorskip("optuna")
    assert model.name == "ann.safetensors"
    before = {each.name for each in folder.iterdir()}
    result = volr(*command, "--data", "somewhere")
    assert result.code == 2
    names = "nand and xor have their" if command[0] == "experiment" else "xor has its"
    assert f"--data somewhere: {names} data in no files; leave it out" in result.err
    assert {each.name for each in folder.iterdir()} == before


def test_random_stimuli_are_in_no_folder(volr: Volr) -> None:
    result = volr("verify", "xor.volr", "--data", "somewhere", "--on", "reference")
    assert result.code == 2
    assert "--data somewhere: without --task, the stimuli are random" in result.err


def test_tasks_with_commas_are_told_apart(volr: Volr) -> None:
    result = volr("experiment", "nand,xor")
    assert result.code == 2
    assert "nand,xor: tasks stand apart: nand xor" in result.err


def test_a_model_that_is_not_there_may_be_one_beside_it(volr: Volr, model: Path) -> None:
    assert model.name == "ann.safetensors"
    for name, help in {
        "ann": "did you mean 'ann.safetensors'?",
        "ann.safetensor": "did you mean 'ann.safetensors'?",
        "none/ann.safetensors": "the folder 'none' is not there",
        "lenet": "`volr train` makes a model of a program",
    }.items():
        result = volr("evaluate", name, "--task", "xor")
        assert result.code == 1
        assert result.err == (
            f"error: cannot read {name}: No such file or directory\n  = help: {help}\n"
        )


def test_a_document_runs_nothing(volr: Volr, model: Path) -> None:
    result = volr("evaluate", model, "--task", "xor", "--on", "nir")
    assert result.code == 1
    assert "nir is a document, which runs nothing; `volr compile --to nir` writes it" in result.err
    assert (
        "there is no back end 'nri'" in volr("evaluate", model, "--task", "xor", "--on", "nri").err
    )
