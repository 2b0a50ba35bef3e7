"""`train --as snn`: the models, fine-tuning, and what is refused before anything runs."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.cli.running import made, rewritten, snapshot, terminal
from tests.oracles import random_parameters

from volr.backends import simulator
from volr.cli.input_files import teacher_of
from volr.engine.surrogates import Surrogate
from volr.errors import ModelError
from volr.experiments.tasks import task
from volr.language import to_network
from volr.model_files.model_file import read_model_file, save_model
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.neurons import IFCondExp, IFCurrExp
from volr.training import (
    SpikingSettings,
    TrainingSettings,
    settings_of,
    train_in_loop,
    train_snn,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.running import Volr

QUICK = ("--epochs", "2", "--candidates", "2")
XOR = ("train", "xor.volr", "--task", "xor", "--as", "snn", "--out", "m")
OWN = "the model of --start has its own"


@pytest.fixture(autouse=True)
def _packages() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numba")


def test_a_program_becomes_a_spiking_model_that_knows_xor(volr: Volr, folder: Path) -> None:
    options = ("--seed", "1", "--epochs", "60", "--candidates", "4")
    result = volr(*XOR, *options)
    assert (result.code, result.out) == (0, "")
    lines = result.err.splitlines()[-3:]
    assert re.fullmatch(
        r"kept epoch \d+ of 60, the best: loss 0\.\d+, "
        r"validation accuracy 1\.0000",
        lines[0],
    )
    assert re.fullmatch(r"dense_1: \d+\.\d Hz on average over the training data", lines[1])
    assert lines[2] == "wrote m"
    loaded = read_model_file(folder / "m")
    assert loaded.origin == {"task": "xor", "seed": 1, "condition": "snn-surrogate"}
    assert isinstance(loaded.model, SpikingModel)
    assert (loaded.model.dt, loaded.model.delay, loaded.model.duration) == (0.5, 0.5, 50.0)
    found = json.loads(volr("evaluate", "m", "--task", "xor", "--json").out)
    assert (found["backend"], found["seed"], found["accuracy"]) == ("engine", 1, 1.0)


def test_options_reach_the_model(volr: Volr, folder: Path) -> None:
    options = {
        "--neuron": "if_cond_exp",
        "-p": "tau_m=15",
        "--neuron-parameter": "tau_refrac=1",
        "--reset": "subtract",
        "--coding": "poisson",
        "--rate-max": "200",
        "--duration": "20",
        "--dt": "0.5",
        "--delay": "1.5",
        "--readout": "membrane",
    }
    flat = [part for pair in options.items() for part in pair]
    result = volr(*XOR, *QUICK, *flat)
    assert result.code == 0, result.err
    model = read_model_file(folder / "m").model
    assert isinstance(model, SpikingModel)
    assert settings_of(model) == SpikingSettings(
        neuron=IFCondExp(tau_m=15.0, tau_refrac=1.0, reset="subtract"),
        coding=Poisson(200.0),
        duration=20.0,
        dt=0.5,
        delay=1.5,
        readout="membrane",
    )


def test_options_reach_the_training(volr: Volr, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[SpikingSettings] = []

    def noted(*arguments: Any, **named: Any) -> object:
        told.append(arguments[3])
        return train_snn(*arguments, **named)

    monkeypatch.setattr("volr.training.train_snn", noted)
    options = {
        "--surrogate": "fast_sigmoid",
        "--surrogate-width": "0.7",
        "--window": "9",
        "--rate-floor": "2",
        "--rate-penalty": "3",
        "--duration": "20",
    }
    flat = [part for pair in options.items() for part in pair]
    assert volr(*XOR, *QUICK, *flat).code == 0
    assert told == [
        SpikingSettings(
            coding=ConstantCurrent(500.0),
            surrogate=Surrogate("fast_sigmoid", 0.7),
            window=9,
            rate_floor=2.0,
            rate_penalty=3.0,
            duration=20.0,
        )
    ]


def test_fine_tuning_keeps_all_but_the_parameters(volr: Volr, folder: Path, model: Path) -> None:
    (folder / "two.volr").write_text("dense 2 2 >> dense 2 2", encoding="utf-8")
    options = ("--reset", "subtract", "--duration", "30", "-p", "tau_m=15")
    assert volr("transfer", model, "--task", "xor", "--out", "snn", *options).code == 0
    fine = ("train", "two.volr", "--task", "xor", "--as", "snn", "--start", "snn", "--out", "f")
    result = volr(*fine, "--seed", "8", "--rate-floor", "1", "--validation", "0")
    assert result.code == 0, result.err
    assert re.search(r"^kept epoch 2 of 2: loss ", result.err, flags=re.MULTILINE)
    before, after = read_model_file(folder / "snn"), read_model_file(folder / "f")
    # The seed draws the order of the samples; the data are split as they were for the ANN.
    kept = {name: said for name, said in after.origin.items() if name != "ann"}
    assert kept == {"task": "xor", "seed": 3, "condition": "snn-finetuned"}
    assert isinstance(before.model, SpikingModel)
    assert isinstance(after.model, SpikingModel)
    assert settings_of(after.model) == settings_of(before.model)
    assert after.model.neuron == IFCurrExp(reset="subtract", tau_m=15.0)
    changed = [
        not np.array_equal(after.model.parameters[name], value)
        for name, value in before.model.parameters.items()
    ]
    assert all(changed)


def test_a_program_is_trained_with_a_simulator_in_the_loop(volr: Volr, folder: Path) -> None:
    told = ("--seed", "1", "--epochs", "3", "--candidates", "2", "--samples", "200")
    result = volr(*XOR, *told, "--in-loop", "engine", "--rate-floor", "9")
    assert result.code == 0, result.err
    loaded = read_model_file(folder / "m")
    assert loaded.origin == {"task": "xor", "seed": 1, "condition": "snn-random"}
    samples = task("xor").load(seed=1).train.first(200)
    with simulator("engine") as engine:
        made_here = train_in_loop(
            loaded.model.network,
            samples,
            engine,
            TrainingSettings(epochs=3, candidates=2, seed=1),
            SpikingSettings(rate_floor=9.0),
        ).model
    for name, value in made_here.parameters.items():
        np.testing.assert_array_equal(loaded.model.parameters[name], value)


def test_a_transferred_model_learns_what_its_teacher_answers(
    volr: Volr, folder: Path, model: Path
) -> None:
    (folder / "two.volr").write_text("dense 2 2 >> dense 2 2", encoding="utf-8")
    assert volr("transfer", model, "--task", "xor", "--out", "snn").code == 0
    tuned = ("train", "two.volr", *XOR[2:], "--start", "snn", "--teacher", model)
    result = volr(*tuned, "--validation", "0")
    assert result.code == 0, result.err
    start, teacher = read_model_file(folder / "snn").model, read_model_file(model).model
    assert isinstance(start, SpikingModel)
    assert isinstance(teacher, ArtificialModel)
    expected, blind = (
        train_snn(
            start.network,
            task("xor").load(seed=3).train,
            TrainingSettings(seed=3, validation=0.0),
            start=start,
            teacher=each,
        ).model.parameters
        for each in (teacher, None)
    )
    for name, value in read_model_file(folder / "m").model.parameters.items():
        np.testing.assert_array_equal(expected[name], value)
    assert any(not np.array_equal(expected[name], blind[name]) for name in expected)


def test_a_network_is_tested_on_what_its_teacher_has_not_seen(
    volr: Volr, folder: Path, model: Path
) -> None:
    command = (*XOR, *QUICK, "--teacher", model)
    assert volr(*command).code == 0
    # The teacher's file says 3; --seed is of all else that is random.
    assert read_model_file(folder / "m").origin["seed"] == 3
    assert volr(*command, "--seed", "5").code == 0
    assert read_model_file(folder / "m").origin["seed"] == 3
    start = made("dense 2 4 ⦶ dense 4 2")
    save_model(start, folder / "snn", {"task": "xor", "seed": 4})
    result = volr(*XOR, "--start", "snn", "--teacher", model)
    assert result.code == 1
    assert "other test samples of xor: they were trained with the seeds 3 and 4" in result.err
    save_model(start, folder / "snn", {"task": "digits", "seed": 4})
    assert volr(*XOR, "--start", "snn", "--teacher", model).code == 0


def test_a_teacher_of_another_task_is_refused(volr: Volr, folder: Path, model: Path) -> None:
    command = ("train", "xor.volr", "--task", "nand", *XOR[4:], "--teacher", model, *QUICK)
    before = snapshot(folder)
    result = volr(*command)
    assert (result.code, result.out) == (1, "")
    assert "ann.safetensors was trained on xor, and cannot teach nand" in result.err
    assert "take a teacher that was trained with --task nand" in result.err
    assert snapshot(folder) == before
    # A file that does not say what it was trained on may be of any task.
    save_model(read_model_file(model).model, model, {})
    assert volr(*command).code == 0


def test_a_network_on_the_same_images_may_be_a_teacher(tmp_path: Path) -> None:
    network = to_network("dense 100 10")
    values = random_parameters(network, np.random.default_rng(0), weight=0.1, bias=0.1)
    save_model(ArtificialModel(network, values), tmp_path / "ann", {"task": "mnist"})
    out = tmp_path / "snn"
    read = teacher_of(tmp_path / "ann", task("mnist-parallel"), out)
    assert read.origin == {"task": "mnist"}
    with pytest.raises(ModelError, match="was trained on mnist, and cannot teach digits"):
        teacher_of(tmp_path / "ann", task("digits"), out)


def test_a_model_that_went_on_names_the_ann_from_where_it_is(
    volr: Volr, folder: Path, model: Path
) -> None:
    (folder / "two.volr").write_text("dense 2 2 >> dense 2 2", encoding="utf-8")
    inner = "r/models/snn"
    assert volr("transfer", model, "--task", "xor", "--out", inner, "--rounds", "0").code == 0
    assert read_model_file(folder / inner).origin["ann"] == "../../ann.safetensors"
    tuned = volr("train", "two.volr", *XOR[2:], "--start", inner)
    assert tuned.code == 0, tuned.err
    assert read_model_file(folder / "m").origin["ann"] == "ann.safetensors"


def test_inputs_into_conductances_are_slower_unless_told(volr: Volr, folder: Path) -> None:
    common = (*XOR, *QUICK[:1], "1", "--candidates", "1", "--neuron", "if_cond_exp")
    for options, coding in (
        ((), ConstantCurrent(200.0)),
        (("--rate-max", "400"), ConstantCurrent(400.0)),
        (("--coding", "poisson"), Poisson(200.0)),
    ):
        assert volr(*common, *options).code == 0
        found = read_model_file(folder / "m").model
        assert isinstance(found, SpikingModel)
        assert found.coding == coding


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--surrogate", "atan"), "--surrogate: for spiking networks alone; add --as snn"),
        (("--dt", "1", "-p", "cm=2"), "--neuron-parameter, --dt: for spiking networks alone"),
        (("--start", "snn"), "--start: for spiking networks alone; add --as snn"),
        (("--as", "snn", "--activation", "relu"), "--activation: for artificial networks alone"),
        *(
            (("--as", "snn", "--start", "snn", *option), f"{option[0]}: {OWN}")
            for option in (
                ("--neuron", "if_curr_delta"),
                ("--neuron-parameter", "cm=1"),
                ("--reset", "hard"),
                ("--coding", "current"),
                ("--rate-max", "500"),
                ("--duration", "50"),
                ("--dt", "0.5"),
                ("--delay", "0.5"),
                ("--readout", "count"),
            )
        ),
        (("--as", "snn", "--start", "snn", "--candidates", "3"), "--candidates: with --start"),
        (("--in-loop", "nest"), "--in-loop: for spiking networks alone; add --as snn"),
        (("--teacher", "ann"), "--teacher: for spiking networks alone; add --as snn"),
        *(
            (("--as", "snn", "--in-loop", "engine", *option), f"{option[0]}: for training in the")
            for option in (
                ("--teacher", "ann"),
                ("--surrogate", "atan"),
                ("--surrogate-width", "1"),
                ("--window", "5"),
            )
        ),
    ],
)
def test_options_that_would_have_no_effect_are_refused_by_name(
    volr: Volr, folder: Path, spiking: Path, arguments: tuple[str, ...], said: str
) -> None:
    del spiking
    before = snapshot(folder)
    result = volr("train", "xor.volr", "--task", "xor", "--out", "m", *arguments)
    assert (result.code, result.out) == (2, "")
    assert f"\nError: {said}" in result.err
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--delay", "1.2"), "delay 1.2 ms is not a whole number of steps of 0.5 ms"),
        (("--dt", "0.3"), "duration 50 ms is not a whole number of steps of 0.3 ms"),
        (("--dt", "-1"), "dt is -1.0 ms, not above 0"),
        (("--duration", "nan"), "duration is nan ms"),
        (("--duration", "3e6"), "more than 1,000,000 steps"),
        (("--rate-max", "3000"), "a step of 0.5 ms allows 2000 Hz"),
        (("-p", "tau_m=-3"), "if_curr_exp: tau_m is -3.0, not above 0"),
        (("-p", "tau_refrac=-1"), "tau_refrac is -1.0, below 0"),
        (("-p", "cm=inf"), "cm is inf"),
        (("--neuron", "if_curr_exp", "-p", "tau_syn_I=-2"), "tau_syn_I is -2.0, not above 0"),
        (("--neuron", "if_cond"), "did you mean 'if_cond_exp'?"),
        (("--coding", "poison"), "did you mean 'poisson'?"),
        (("--surrogate-width", "0"), "its width is 0.0, not above 0"),
        (("--rate-floor", "-1"), "rate_floor is -1.0, not 0 or more"),
        (("--rate-penalty", "nan"), "rate_penalty is nan, not 0 or more"),
        (("--learning-rate", "1e38"), "training diverged"),
        (("--start", "ann.safetensors"), "is an artificial model"),
        (("--start", "other"), "other is not a model of this program: it was made from `dense 2 3"),
        (("--start", "huge"), "dense_1->dense_2.weight reaches 1e+39"),
        (("--start", "nan"), "input->dense_1.weight has values that are not finite numbers"),
        (("--start", "nowhere"), "No such file"),
        (("--teacher", "huge"), "huge is a spiking model, and a teacher is an artificial one"),
        (("--in-loop", "torch"), "torch runs artificial models and simulates nothing"),
        (("--in-loop", "nast"), "did you mean 'nest'?"),
        (("--start", "m"), "would be lost"),
        (("--teacher", "m"), "would be lost"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    volr: Volr, folder: Path, model: Path, arguments: tuple[str, ...], said: str
) -> None:
    del model
    usual = made("dense 2 4 ⦶ dense 4 2")
    save_model(usual, folder / "m")
    save_model(made("dense 2 3 >> dense 3 2"), folder / "other")
    large = {
        name: value + 1e39 * (value == value.max()) for name, value in usual.parameters.items()
    }
    large |= {name: value for name, value in usual.parameters.items() if "dense_2.w" not in name}
    save_model(replace(usual, parameters=large), folder / "huge")
    rewritten(folder / "m", folder / "nan", **{"input->dense_1.weight": float("nan")})
    before = snapshot(folder)
    quick = QUICK[:2] if "--start" in arguments else QUICK
    result = volr(*XOR, *arguments, *quick)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


def test_a_missing_package_names_what_to_install(
    volr: Volr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.backends.refusals.importlib.util.find_spec", without("numba"))
    assert "pip install 'volr[engine]'" in volr(*XOR, *QUICK).err
    monkeypatch.setattr("volr.backends.refusals.importlib.util.find_spec", without("torch"))
    assert "pip install 'volr[torch]'" in volr(*XOR, *QUICK).err


def without(package: str) -> Callable[[str], object]:
    return lambda name: None if name == package else object()


def test_warnings_of_the_library_are_notes_and_each_is_told_once(
    volr: Volr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warned(*arguments: Any, **named: Any) -> object:
        for _ in range(3):
            logging.getLogger("volr").warning("compiling %s", "the engine")
        return train_snn(*arguments, **named)

    monkeypatch.setattr("volr.training.train_snn", warned)
    for _ in range(2):
        result = volr(*XOR, *QUICK)
        assert result.err.splitlines()[0] == "compiling the engine"
        assert result.err.count("compiling") == 1
    assert logging.getLogger("volr").handlers == []


def test_compilation_is_announced_above_the_bar(
    spiking: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = str(tmp_path_factory.mktemp("cache"))
    with terminal("evaluate", spiking, "--task", "xor", NUMBA_CACHE_DIR=empty) as shown:
        assert shown.wait() == 0
    plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.shown)
    told = "compiling the engine for this kind of model, once: up to a minute"
    assert plain.count(told) == 1
    # On a line of its own.
    assert f"\r{told}\r\n" in plain.replace("\n\r", "\n") or f"  {told}\r\n" in plain
    assert "Traceback" not in plain


def test_without_a_gpu_cuda_is_refused_before_training_and_auto_says_what_it_took(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volr.engine.devices.cuda_problem", lambda: "there is none")
    refused = volr(*XOR, *QUICK, "--device", "cuda", "--out", "gpu")
    assert refused.code == 1
    assert "no GPU can be used: there is none" in refused.err
    assert not (folder / "gpu").exists()
    result = volr(*XOR, *QUICK, "--device", "auto", "--out", "auto")
    assert result.code == 0
    assert "trained on the processor" in result.err
