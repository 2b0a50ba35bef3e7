"""Help of refusals: it keeps the network, or says that it makes another one.

Whatever refuses a model by name is tried on models that are as odd as they can be, and what it
proposes is held against what there is.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.conformance import need
from tests.oracles import chain, random_parameters

from volr.backends import BACKENDS, DOCUMENTS, ENGINE, nest, pynn
from volr.backends.base import Document, SpikingBackend
from volr.backends.refusals import check_supported
from volr.cli.app import app
from volr.errors import UnsupportedError
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import READOUTS, SpikingModel
from volr.neurons import RESETS, IFCondExp, IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.neurons import NeuronModel

NETWORK = chain(3, 4, 2)
VALUES = random_parameters(NETWORK, np.random.default_rng(0), weight=1.0, bias=0.1)
NEURONS: list[NeuronModel] = [
    IFCurrDelta(),
    IFCurrDelta(tau_refrac=0.0),
    IFCurrDelta(tau_m=math.inf, i_offset=0.1),
    IFCurrDelta(tau_m=1e6, tau_refrac=3.0),
    IFCurrExp(tau_syn_I=20.0, tau_refrac=2.0),
    IFCurrExp(tau_m=math.inf, tau_refrac=1.0),
    IFCondExp(),
]


def spiking_models() -> Iterator[SpikingModel]:
    timings = [(1.0, 1), (0.0003, 1), (1.0, 3)]
    codings = (ConstantCurrent(), Poisson(100.0))
    for neuron, reset, readout, coding, (dt, delay) in itertools.product(
        NEURONS, RESETS, READOUTS, codings, timings
    ):
        yield SpikingModel(
            network=NETWORK,
            parameters=VALUES,
            neuron=replace(neuron, reset=reset),
            coding=coding,
            dt=dt,
            duration=20.0 * dt,
            delay=delay * dt,
            readout=readout,
        )
    # So long that rounding could hide a threshold from NEST.
    neuron = IFCurrExp(tau_m=math.inf, tau_refrac=1.0, reset="subtract")
    yield SpikingModel(
        network=NETWORK,
        parameters=VALUES,
        neuron=neuron,
        coding=Poisson(100.0),
        dt=1.0,
        duration=20_000.0,
        delay=1.0,
    )


def refused(target: SpikingBackend | Document, model: SpikingModel) -> None:
    """Raise what it refuses the model with, before anything is started."""
    check_supported(target, model)
    if isinstance(target, Document):
        target.write(model)
    elif target.name == "nest":
        nest.check_translatable(model)
    elif target.name.startswith("pynn."):
        dialect = next(d for d in pynn.DIALECTS if target.name == f"pynn.{d.simulator}")
        pynn._check_translatable(target.name, dialect, model)


@functools.cache
def helps() -> set[tuple[str, str, str]]:
    """Back end, message and help of all refusals; each alternative is tried on the model itself."""
    found: set[tuple[str, str, str]] = set()
    named = {each.name: each for each in BACKENDS}
    documents = {each.name: each for each in DOCUMENTS}
    for target, model in itertools.product((*BACKENDS, *DOCUMENTS), spiking_models()):
        if not isinstance(target, SpikingBackend | Document) or not target.neurons:
            continue
        try:
            refused(target, model)
        except UnsupportedError as error:
            help = error.help or ""
            found.add((target.name, error.message, help))
            for verb, names in re.findall(
                r"(run it on|write it for) ([\w., ]+?), which keep", help
            ):
                known = named if verb == "run it on" else documents
                for name in names.split(" or "):
                    other = known[name]
                    assert isinstance(other, SpikingBackend | Document)
                    refused(other, model)
    return found


# Whatever a model is made of: with another one of these it is another model.
CHANGES = re.compile(
    r"tau_|\bdt\b|--dt|delay|duration|reset|refrac|readout|neuron|if_c|activation|weights|populations"
)


@pytest.mark.filterwarnings("ignore")
def test_help_keeps_the_network_or_says_that_it_does_not() -> None:
    for document in DOCUMENTS:
        need(document)
    found = helps()
    # Everybody but those that have it all refuses something.
    whole = {"engine", "brian2"}
    assert {name for name, _, _ in found} == {
        *(each.name for each in BACKENDS if isinstance(each, SpikingBackend)),
        *(each.name for each in DOCUMENTS if each.neurons),
    } - whole
    for name, message, help in found:
        said = f"{name}: {message} | {help}"
        assert re.search(r"which keeps? the network", help), said
        for part in help.split("; "):
            if "keep" not in part and not part.startswith(f"{name} has "):
                assert part.endswith(("makes another network", "make another network")), said
            if CHANGES.search(part):
                assert "another network" in help.split(part, 1)[1] or "another network" in part, (
                    said
                )


def options(command: str) -> set[str]:
    from typer.main import get_command

    found = get_command(app).commands[command]  # pyright: ignore[reportAttributeAccessIssue]
    return {option for each in found.params for option in each.opts}


@pytest.mark.filterwarnings("ignore")
def test_commands_and_options_that_are_named_exist() -> None:
    named = 0
    for _, _, help in helps():
        commands = re.findall(r"`volr ([a-z]+)`", help)
        whole = re.compile(r"`volr ([a-z]+) (--[a-z-]+) [\w.]+`")
        for command, option in whole.findall(help):
            assert option in options(command), (command, option)
        for option in re.findall(r"--[a-z-]+", whole.sub("", help)):
            assert commands, help
            for command in commands:
                assert option in options(command), (command, option)
                named += 1
    assert named > 20


def test_nests_help_for_an_imported_model_keeps_the_network() -> None:
    need(ENGINE)
    model = SpikingModel(
        network=NETWORK,
        parameters=VALUES,
        neuron=IFCurrDelta(v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_refrac=0.0, reset="subtract"),
        dt=1.0,
        delay=1.0,
    )
    with pytest.raises(UnsupportedError, match="rest for at least one") as caught:
        nest.check_translatable(model)
    # `volr import` has options for neither, and with them it would be another network.
    help = str(caught.value.help)
    assert "tau_refrac" not in help
    assert "delay" not in help
    assert help == "run it on engine or brian2, which keep the network"
    with ENGINE.start() as simulator:
        assert simulator.run(model, np.full((2, 3), 0.9)).counts["dense_2"].any()
