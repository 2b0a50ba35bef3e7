"""Options: one default for each setting, and one meaning for each name."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import typer

import volr
from volr.backends.nir.read import DEFAULT_STEPS
from volr.backends.nir.time_unit import DEFAULT_DT
from volr.cli.app import app
from volr.engine.surrogates import Surrogate
from volr.experiments.settings import Settings, settings_from
from volr.models.coding import ConstantCurrent
from volr.models.model import ArtificialModel, SpikingModel
from volr.models.simulation_settings import SimulationSettings
from volr.neurons import IFCondExp
from volr.quantisation import QuantisationSettings
from volr.training import SpikingSettings, TrainingSettings, train_ann
from volr.training import in_loop as loop
from volr.training.settings import EPOCHS, UPDATES
from volr.training.spiking import DECAY, FINE_DECAY, FINE_EPOCHS, FINE_RATE, RATE
from volr.transfer import TransferSettings

if TYPE_CHECKING:
    from tests.cli.running import Volr

PARSED: Any = typer.main.get_command(app)
FREE = {"--help", "--out"}
"""Options whose values are of different kinds: ``--out`` is a file or a folder."""

ADAM, SGD = TrainingSettings(optimizer="adam"), TrainingSettings(optimizer="sgd")
SLOW = TransferSettings(neuron=IFCondExp())
SHARED = {
    "--neuron": SpikingModel.neuron.name,
    "--reset": SpikingModel.neuron.reset,
    "--coding": ConstantCurrent.name,
    "--rate-max": f"({TransferSettings().input_coding.rate_max:g}; if_cond_exp: "
    f"{SLOW.input_coding.rate_max:g}; at most a spike a step)",
    "--duration": f"{SpikingModel.duration}",
    "--dt": f"{SpikingModel.dt}",
    "--delay": "(one step)",
    "--activation": ArtificialModel.activation.name,
}
"""What help shows as the default of a setting that several commands ask for."""
OWN = {
    "train": {
        **{
            f"--{name}": f"{getattr(TrainingSettings(), name)}" for name in ("momentum", "schedule")
        },
        **{f"--{name}": f"{getattr(TrainingSettings(), name)}" for name in ("loss", "optimizer")},
        **{f"--{name}": f"{getattr(TrainingSettings(), name)}" for name in ("validation",)},
        "--batch-size": f"{TrainingSettings.batch_size}",
        "--candidates": f"{TrainingSettings.candidates}",
        "--epochs": f"({EPOCHS}, or as many as make {UPDATES:,} updates; with --start: "
        f"{FINE_EPOCHS}; with --in-loop: {loop.EPOCHS}, or as many as make {loop.UPDATES})",
        "--learning-rate": f"({ADAM.rate:g}; sgd: {SGD.rate:g}; snn: {RATE:g}; with --start: "
        f"{FINE_RATE:g})",
        "--weight-decay": f"({ADAM.decay:g}; sgd: {SGD.decay:g}; snn: {DECAY:g}; with --start: "
        f"{FINE_DECAY:g})",
        "--readout": SpikingSettings.readout,
        "--surrogate": SpikingSettings.surrogate.shape,
        "--surrogate-width": f"{SpikingSettings.surrogate.width}",
        "--rate-floor": f"{SpikingSettings.rate_floor}",
        "--rate-penalty": f"{SpikingSettings.rate_penalty}",
    },
    "transfer": {
        "--population-rate": f"(the inputs'; if_cond_exp: {SLOW.full_rate:g}, or a spike a step)",
        "--percentile": f"{TransferSettings.percentile}",
        "--rounds": f"{TransferSettings.rounds}",
        "--calibration-samples": f"{TransferSettings.samples}",
    },
    "explain": {"--percentile": f"{TransferSettings.percentile}"},
    "experiment": {"--epochs": f"({EPOCHS}, or as many as make {UPDATES:,} updates)"},
    # What a file of another tool leaves out is what those tools have, and not what Volr has.
    "import": {
        "--dt": f"(the file's own, or {DEFAULT_DT:g})",
        "--duration": f"({DEFAULT_STEPS} steps)",
        "--reset": "(hard)",
    },
}


def options() -> dict[str, dict[str, Any]]:
    """Every option, by its name in help and its command."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for command, each in PARSED.commands.items():
        for parameter in each.params:
            if parameter.param_type_name == "option":
                name = next(name for name in parameter.opts if name.startswith("--"))
                found[name][command] = parameter
    return found


def shown_default(help: str, name: str) -> str:
    """The default that a command's help shows for an option."""
    text = " ".join(help.split())
    found = re.search(rf" {name} .*?\[default: (.*?)(; [x\d][^]]*)?\]", text)
    assert found is not None, name
    return found[1]


def test_an_option_means_the_same_in_every_command() -> None:
    """What a command adds stands behind a colon."""
    for name, commands in options().items():
        meanings = {re.split(r"[:.,]", each.help)[0] for each in commands.values()}
        assert len(meanings) == 1, f"{name}: {meanings}"
        if name not in FREE:
            assert len({each.metavar for each in commands.values()}) == 1, name


def test_help_shows_the_one_default_of_every_setting(volr: Volr) -> None:
    helps = {name: volr(name, "--help").out for name in PARSED.commands}
    for name, commands in options().items():
        for command in commands:
            expected = OWN.get(command, {}).get(name, SHARED.get(name))
            if expected is not None:
                assert shown_default(helps[command], name) == expected, f"{command} {name}"


def test_an_option_of_a_setting_is_none_unless_given() -> None:
    """So nothing but the library's records says what a default is."""
    for name in {*SHARED, *(each for own in OWN.values() for each in own)}:
        assert {each.default for each in options()[name].values()} == {None}, name


def test_all_records_have_the_same_defaults() -> None:
    records = (SimulationSettings(), TransferSettings(), SpikingSettings())
    for name in ("neuron", "dt", "duration"):
        assert {getattr(each, name) for each in records} == {getattr(SpikingModel, name)}
    assert {each.input_coding for each in records} == {ConstantCurrent()}
    assert {each.delay_ms for each in records} == {SpikingModel.dt}
    assert SpikingSettings.readout == SpikingModel.readout
    assert SpikingSettings.surrogate == Surrogate()
    assert TrainingSettings.activation == ArtificialModel.activation


def test_experiments_have_the_same_defaults() -> None:
    """None of a stage's own: what a task is given instead stands in ``experiments.defaults``."""
    settings = Settings()
    assert settings == settings_from({}, "nothing")
    assert settings.training(0) == TrainingSettings()
    assert settings.transfer(0) == TransferSettings(coding=ConstantCurrent())
    assert settings.spiking() == SpikingSettings(coding=ConstantCurrent())


def test_public_functions_have_the_same_defaults() -> None:
    """A parameter of one name has one default, or none, in all public functions."""
    found: dict[str, set[Any]] = defaultdict(set)
    for name in volr.__all__:
        if inspect.isfunction(function := getattr(volr, name)):
            for parameter in inspect.signature(function).parameters.values():
                if parameter.default not in (parameter.empty, None):
                    found[parameter.name].add(parameter.default)
    assert found["seed"] == {0}
    # A back end that trains, and one that simulates.
    assert found.pop("on") == {"torch", "engine"}
    # Of training, of a transfer, of a quantisation.
    wanted = {TrainingSettings(), TransferSettings(), QuantisationSettings()}
    assert found.pop("settings") == wanted
    assert {name: each for name, each in found.items() if len(each) > 1} == {}


def test_former_names_are_taken_and_not_shown(volr: Volr) -> None:
    for command in ("train", "transfer"):
        assert " --samples" not in volr(command, "--help").out
        new = "--train-samples" if command == "train" else "--calibration-samples"
        (option,) = (each for each in PARSED.commands[command].params if new in each.opts)
        assert "--samples" in option.opts
        assert f" {new} N" in volr(command, "--help").out


@pytest.mark.parametrize("name", ["on", "backend"])
def test_train_ann_takes_the_former_name_of_on(name: str) -> None:
    samples = volr.task("xor").load(seed=0).train
    network = volr.to_network("dense 2 2")
    former = pytest.warns(DeprecationWarning, match="backend is the former name of on")
    with (
        former if name == "backend" else nullcontext(),
        pytest.raises(volr.VolrError, match="there is no training back end 'tensorflow'"),
    ):
        train_ann(network, samples, **{name: "tensorflow"})  # type: ignore[arg-type]


def test_every_field_of_the_settings_is_an_option() -> None:
    train = {each.name for each in PARSED.commands["train"].params}
    transfer = {each.name for each in PARSED.commands["transfer"].params}
    assert {each.name for each in fields(TrainingSettings)} <= train
    assert {each.name for each in fields(SpikingSettings)} <= train
    renamed = {"samples": "calibration_samples"}
    assert {renamed.get(each.name, each.name) for each in fields(TransferSettings)} <= transfer
