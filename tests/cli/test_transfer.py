"""`transfer`: the spiking model, the report, and what is refused before NEST is started."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.running import snapshot, solved_xor
from tests.experiments.examples import POPULATION
from tests.needs import needs_nest, needs_numba
from tests.oracles import random_parameters

from volr.cli.spiking_options import parameters
from volr.errors import ModelError
from volr.experiments.tasks import Task
from volr.language import to_network
from volr.model_files.model_file import read_model_file, save_model
from volr.models.activations import Tanh
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.samples import Data, Samples
from volr.neurons import NEURON_MODELS, IFCurrExp
from volr.transfer.display import lost

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.running import Volr

QUICK = ("--rounds", "0", "--samples", "20")


@needs_numba
def test_a_model_becomes_a_spiking_one_with_its_report(
    volr: Volr, folder: Path, model: Path
) -> None:
    result = volr("transfer", model, "--task", "xor", "--out", "snn")
    assert result.code == 0
    assert result.err == "wrote snn\n"
    lines = result.out.splitlines()
    assert lines[0].split()[0] == "population"
    assert [line.split()[0] for line in lines[1:4]] == ["input", "dense_1", "dense_2"]
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)
    assert lines[-1].startswith("accuracy on 410 training stimuli: 1.0000 before, 1.0000 after")
    loaded = read_model_file(folder / "snn")
    assert isinstance(loaded.model, SpikingModel)
    expected = {"task": "xor", "seed": 3, "condition": "snn-transferred", "ann": "ann.safetensors"}
    assert loaded.origin == expected


@needs_numba
def test_where_the_ann_is_holds_behind_links_too(volr: Volr, folder: Path, model: Path) -> None:
    far = folder / "a" / "b" / "c"
    far.mkdir(parents=True)
    (folder / "out").symlink_to(far)
    assert volr("transfer", model, "--task", "xor", "--out", "out/snn", *QUICK).code == 0
    assert read_model_file(far / "snn").origin["ann"] == "../../../ann.safetensors"
    explained = volr("explain", "out/snn", "--task", "xor", "--no-remedies", "--samples", "8")
    assert explained.code == 0, explained.err


@needs_numba
def test_a_path_whose_bytes_are_no_text(volr: Volr, folder: Path, model: Path) -> None:
    odd = os.fsdecode(b"ann-\xff.safetensors")
    model.rename(folder / odd)
    assert volr("transfer", odd, "--task", "xor", "--out", "snn", *QUICK).code == 0
    assert read_model_file(folder / "snn").origin["ann"] == odd


@needs_numba
def test_what_a_file_leaves_open_is_as_in_an_experiment_on_the_task(
    volr: Volr, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, rng = to_network("dense 100 10"), np.random.default_rng(0)
    parameters = random_parameters(network, rng, weight=0.1, bias=0.1)
    save_model(ArtificialModel(network, parameters), folder / "ann")
    (folder / "s.json").write_text('{"settings": {"neuron": "if_cond_exp"}}', encoding="utf-8")
    images = Samples(rng.random((40, 100)), np.arange(40) % 10)

    def load(_task: Task, **_: object) -> Data:
        return Data(images, images, 10)

    monkeypatch.setattr(Task, "load", load)
    command = ("transfer", "ann", "--task", "mnist-parallel", "--out", "snn", *QUICK)
    for options, dt in (((), 0.25), (("--dt", "0.5"), 0.5)):
        result = volr(*command, "--settings", "s.json", *options)
        assert result.code == 0, result.err
        found = read_model_file(folder / "snn").model
        assert isinstance(found, SpikingModel)
        assert found.dt == dt


@needs_numba
def test_a_parameter_that_is_told_leaves_the_others_of_the_file(
    volr: Volr, folder: Path, model: Path
) -> None:
    told = {"neuron": "if_curr_exp", "neuron_parameters": {"tau_syn_E": 2, "tau_syn_I": 2}}
    (folder / "s.json").write_text(json.dumps({"settings": told}), encoding="utf-8")
    command = ("transfer", model, "--task", "xor", "--settings", "s.json", "--out", "snn", *QUICK)
    result = volr(*command, "-p", "tau_m=10")
    assert result.code == 0, result.err
    found = read_model_file(folder / "snn").model
    assert isinstance(found, SpikingModel)
    assert found.neuron == IFCurrExp(tau_m=10.0, tau_syn_E=2.0, tau_syn_I=2.0)
    before = snapshot(folder)
    wrong = volr(*command, "--neuron", "if_curr_delta", "-p", "tau_m=10")
    assert (wrong.code, wrong.out) == (1, "")
    assert "no parameter 'tau_syn_E', 'tau_syn_I', which the settings file gives" in wrong.err
    assert snapshot(folder) == before


@needs_numba
def test_options_reach_the_model(volr: Volr, folder: Path, model: Path) -> None:
    options = {
        "--duration": "30",
        "--dt": "0.25",
        "--delay": "1.5",
        "--coding": "poisson",
        "--rate-max": "200",
        "--population-rate": "300",
        "--percentile": "90",
        "-p": "tau_m=10",
        "--neuron-parameter": "v_reset=-70",
        "--reset": "subtract",
        "--seed": "8",
    }
    flat = [part for pair in options.items() for part in pair]
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *QUICK, *flat, "--json")
    assert result.code == 0, result.err
    loaded = read_model_file(folder / "snn")
    found = loaded.model
    assert isinstance(found, SpikingModel)
    assert (found.duration, found.dt, found.delay) == (30.0, 0.25, 1.5)
    assert found.coding == Poisson(200.0)
    assert found.neuron == IFCurrExp(tau_m=10.0, v_reset=-70.0, reset="subtract")
    # The seed is that of the calibration; the data stay split as they were for the training.
    assert loaded.origin["seed"] == 3
    report = json.loads(result.out, parse_constant=pytest.fail)
    assert report["samples"] == 20
    assert report["accuracy_before"] == 1.0
    assert [each["name"] for each in report["populations"]] == ["input", "dense_1", "dense_2"]


@needs_numba
def test_inputs_into_conductances_are_slower_unless_told(
    volr: Volr, folder: Path, model: Path
) -> None:
    common = ("transfer", model, "--task", "xor", "--out", "snn", "--neuron", "if_cond_exp", *QUICK)
    for options, coding in (
        ((), ConstantCurrent(200.0)),
        (("--rate-max", "500"), ConstantCurrent(500.0)),
        (("--coding", "poisson"), Poisson(200.0)),
        (("--coding", "poisson", "--dt", "10"), Poisson(100.0)),
        (("--coding", "poisson", "--rate-max", "300"), Poisson(300.0)),
    ):
        assert volr(*common, *options).code == 0
        found = read_model_file(folder / "snn").model
        assert isinstance(found, SpikingModel)
        assert found.coding == coding


@needs_numba
def test_losses_are_in_the_report_and_nan_is_none_in_json(
    volr: Volr, model: Path, folder: Path
) -> None:
    # Of the hidden activations, which are 0, 1 and 2, the 2 is above this percentile.
    options = ("--percentile", "60", *QUICK)
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *options)
    assert re.search(r"\ndense_1: \d+\.\d\d% of the activations clipped\n", result.out)
    network = solved_xor().network
    # The same activation for every stimulus: nothing to correlate with.
    values = {name: 0.0 * each for name, each in solved_xor().parameters.items()}
    values |= {"dense_1.bias": np.array([1.0, 1.0]), "dense_2.bias": np.array([0.0, 1.0])}
    save_model(ArtificialModel(network, values), folder / "constant")
    report = volr("transfer", "constant", "--task", "xor", "--out", "snn", *options, "--json")
    populations = json.loads(report.out, parse_constant=pytest.fail)["populations"]
    assert [each["correlation"] is None for each in populations] == [False, True, False]


@needs_numba
def test_scales_of_units_that_differ_much_are_told(volr: Volr, folder: Path, model: Path) -> None:
    def transferred(name: str) -> tuple[str, dict[str, list[float]]]:
        options = ("--task", "xor", "--out", "snn", *QUICK)
        said = volr("transfer", name, *options).out
        return said, json.loads(volr("transfer", name, *options, "--json").out)["scales"]

    plain, before = transferred(model.name)
    assert "scales of its units" not in plain
    values = {name: np.array(each) for name, each in solved_xor().parameters.items()}
    for name in ("input->dense_1.weight", "dense_1.bias"):
        values[name][1] *= 64.0
    values["dense_1->dense_2.weight"][:, 1] /= 64.0
    save_model(ArtificialModel(solved_xor().network, values), folder / "rescaled", {"seed": 3})
    said, after = transferred("rescaled")
    least, most = min(after["dense_1"]), max(after["dense_1"])
    assert f"dense_1: scales of its units from {least:.3g} to {most:.3g}\n" in said
    assert after["dense_1"] == [before["dense_1"][0], 64.0 * before["dense_1"][1]]
    assert after["dense_2"] == before["dense_2"]
    # All else is the same: the same spiking network.
    assert said.splitlines()[-1] == plain.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--dt", "0"), "dt is 0.0 ms"),
        (("--duration", "nan"), "duration is nan ms"),
        (("--delay", "0.3"), "not a whole number of steps"),
        (("--rate-max", "1e9"), "a step of 0.5 ms allows 2000 Hz"),
        (("--population-rate", "1e9"), "population_rate is 1e+09 Hz, but a step of 0.5 ms"),
        (("--percentile", "101"), "percentile is 101.0"),
        (("-p", "tau_m=abc"), "'abc' is not a number"),
        (("-p", "nonsense"), "there is no = in it"),
        (("-p", "tau=3"), "tau_m, cm, tau_refrac"),
        (("-p", "tau_m=nan"), "tau_m is nan"),
        (("-p", "cm=1", "-p", "cm=2"), "'cm' is given twice"),
        (("--neuron", "if_cur_delta"), "did you mean 'if_curr_delta'?"),
        (("--coding", "poison"), "did you mean 'poisson'?"),
        (("--task", "digits"), "trained on xor, and does not fit the task digits"),
        (("--task", "xxor"), "did you mean 'xor'?"),
        (("--out", "ann.safetensors"), "would be lost"),
        (("--out", "xor.volr/snn"), "Not a directory"),
        (("--out", "."), "it is a folder"),
    ],
)
def test_what_is_wrong_is_said_before_a_simulator_starts(
    volr: Volr,
    folder: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr("volr.backends.simulator", starting)
    before = snapshot(folder)
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *options)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert snapshot(folder) == before


def starting(name: str) -> None:
    pytest.fail(f"it started {name}")


@pytest.mark.parametrize("on", ["engine", pytest.param("nest", marks=needs_nest)])
@pytest.mark.parametrize("neuron", [each.name for each in NEURON_MODELS])
def test_every_neuron_model_is_calibrated_on_either_simulator(
    volr: Volr, folder: Path, model: Path, neuron: str, on: str
) -> None:
    options = ("--neuron", neuron, "--on", on, "--samples", "60")
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *options)
    assert result.code == 0, result.err
    assert "1.0000 before, 1.0000 after" in result.out
    found = read_model_file(folder / "snn").model
    assert isinstance(found, SpikingModel)
    assert found.neuron.name == neuron


def test_a_simulator_that_is_none_or_not_installed_is_told(
    volr: Volr, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = ("transfer", model, "--task", "xor", "--out", "snn")
    for on, said in {"engin": "did you mean 'engine'?", "torch": "simulates nothing"}.items():
        result = volr(*common, "--on", on)
        assert (result.code, result.out) == (1, "")
        assert said in result.err
    monkeypatch.setattr("volr.backends.refusals.importlib.util.find_spec", nowhere)
    for on in ("engine", "nest"):
        assert f"pip install 'volr[{on}]'" in volr(*common, "--on", on).err


def nowhere(package: str) -> None:
    """No package is installed."""


@pytest.mark.parametrize("command", ["transfer", "evaluate"])
def test_what_is_no_artificial_model_is_told_apart(
    volr: Volr, folder: Path, model: Path, command: str
) -> None:
    whole = model.read_bytes()
    (folder / "cut").write_bytes(whole[: len(whole) - 9])
    (folder / "short").write_bytes(whole[:4])
    (folder / "binary").write_bytes(bytes(range(200, 256)))
    for name, said in {
        "nowhere": "No such file",
        ".": "Is a directory",
        "cut": "is cut short",
        "short": "is cut short",
        "binary": "is not a model of Volr's",
        "xor.volr": "is not a model of Volr's",
    }.items():
        out = ("--out", "snn") if command == "transfer" else ()
        result = volr(command, name, "--task", "xor", *out)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("error: ")
        assert said in result.err


@needs_numba
def test_a_spiking_model_and_another_activation_are_refused(
    volr: Volr, folder: Path, model: Path
) -> None:
    assert volr("transfer", model, "--task", "xor", "--out", "snn", *QUICK).code == 0
    result = volr("transfer", "snn", "--task", "xor", "--out", "again")
    assert result.code == 1
    assert "is a spiking model already" in result.err
    solved = solved_xor()
    save_model(ArtificialModel(solved.network, solved.parameters, Tanh()), folder / "tanh")
    result = volr("transfer", "tanh", "--task", "xor", "--out", "again")
    assert result.code == 1
    assert "cannot stand for the activation 'tanh'" in result.err
    assert not (folder / "again").exists()


def test_what_is_lost_is_listed_as_far_as_there_is_any() -> None:
    assert lost(POPULATION) == []
    assert lost(replace(POPULATION, silent=4)) == ["4 silent"]
    assert lost(replace(POPULATION, clipped=0.0123, dead=1, saturated=2)) == [
        "1.23% of the activations clipped",
        "1 dead",
        "2 saturated",
    ]


def test_assignments() -> None:
    assert parameters(["tau_m=10", " cm = 0.5 "]) == {"tau_m": 10.0, "cm": 0.5}
    assert parameters([]) == {}
    with pytest.raises(ModelError, match=r"'tau_m=1=2' cannot be read: '1=2' is not a number"):
        parameters(["tau_m=1=2"])


@needs_numba
def test_a_transfer_that_loses_much_says_so(volr: Volr, model: Path) -> None:
    # One spike at the most leaves nothing to compare.
    options = ("--duration", "1.5", *QUICK)
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *options)
    assert result.code == 0
    assert re.search(r"the transfer lost \d+\.\d% of the training stimuli", result.err)
    result = volr("transfer", model, "--task", "xor", "--out", "snn", *QUICK)
    assert "the transfer lost" not in result.err
