"""Scripts for PyNN: that they do what the model does, are read back, and are nobody else's code."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.backends.kernels import SIGNS
from tests.needs import needs
from tests.oracles import chain, fork, random_parameters
from tests.readbacks import plain

from volr.backends.expected import expected
from volr.backends.pynn import PYNN
from volr.backends.pynn.script import MOST_NUMBERS
from volr.engine.reference import simulate
from volr.errors import DataError, UnsupportedError
from volr.models.activations import ReLU
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel, SpikingModel
from volr.network import Network, Population, Projection
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel

if TYPE_CHECKING:
    from pathlib import Path

    from volr.checks.arrays import Floats

needs_pynn = needs("pyNN", "nest", "brian2", "neuron", "c++", "make")

# Names that are code somewhere, or no names anywhere.
NAMED = ['"""+exit()#', "λ'", "def", "\\N{BULLET}", "{ARRAYS}"]
STRANGE = Network(
    populations=tuple(
        Population(name, (size,)) for name, size in zip(NAMED, (4, 3, 5, 6, 2), strict=True)
    ),
    projections=tuple(
        Projection(NAMED[a], NAMED[b]) for a, b in [(2, 4), (0, 2), (1, 3), (2, 3), (3, 4), (1, 4)]
    ),
    inputs=(NAMED[1], NAMED[0]),
    outputs=(NAMED[4], NAMED[2], NAMED[1]),
)
# As PyNN finds its mechanisms where `nrnivmodl` is on the path, and compiled in its own folder.
RUN = """
import runpy, sys
if sys.argv[2] == "neuron":
    import neuron
    from volr.backends.pynn import mechanisms
    mechanisms.load(neuron)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def spiking(
    network: Network = STRANGE,
    neuron: NeuronModel = IFCurrExp(),
    weight: float = 1.0,
    **others: Any,
) -> SpikingModel:
    values = random_parameters(network, np.random.default_rng(0), weight=weight, bias=0.4)
    settings: dict[str, Any] = {"duration": 25.0, "delay": 1.0, **others}
    return SpikingModel(network=network, parameters=values, neuron=neuron, **settings)


def wanted(model: SpikingModel, stimuli: Floats, seed: int = 0) -> Floats:
    trace = simulate(model, stimuli, seed=seed)
    return np.concatenate([trace.spikes[n].sum(axis=0) for n in model.network.outputs], axis=1)


def run(folder: Path, model: SpikingModel, *arguments: str) -> subprocess.CompletedProcess[str]:
    for suffix, body in PYNN.write(model).items():
        (folder / f"net{suffix}").write_bytes(body)
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder / "net.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


@needs_pynn
@pytest.mark.parametrize(
    ("simulator", "model"),
    [
        ("nest", spiking(neuron=IFCurrDelta(v_rest=-64.0, i_offset=0.1), weight=4.0)),
        ("nest", spiking(neuron=IFCondExp(tau_refrac=1.0), weight=0.02, coding=Poisson(300.0))),
        ("brian2", spiking(neuron=IFCurrDelta(), weight=4.0, coding=Poisson(300.0))),
        ("neuron", spiking(neuron=IFCurrExp(tau_refrac=1.0, tau_syn_I=20.0, i_offset=0.1))),
        ("neuron", spiking(weight=0.3, coding=Poisson(300.0))),
    ],
    ids=lambda each: each if isinstance(each, str) else f"{each.neuron.name}-{each.coding.name}",
)
def test_the_script_counts_what_the_reference_counts(
    tmp_path: Path, simulator: str, model: SpikingModel
) -> None:
    stimuli = np.random.default_rng(1).random((2, 7))
    np.save(tmp_path / "stimuli.npy", stimuli)
    done = run(tmp_path, model, simulator, "--stimuli", "stimuli.npy", "--seed", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[-2:]
    found = np.array([line.split() for line in lines], dtype=int)
    counts = wanted(model, stimuli, seed=5)
    assert counts.any()
    np.testing.assert_array_equal(found, counts)


@needs_pynn
@pytest.mark.parametrize("simulator", ["nest", "brian2", "neuron"])
def test_a_script_lists_the_synapses_of_kernels(tmp_path: Path, simulator: str) -> None:
    # With currents that decay at two rates, synapses of both signs are not what their sum is.
    neuron = IFCurrExp(tau_syn_E=3.0, tau_syn_I=8.0, tau_refrac=1.0)
    model = spiking(SIGNS, neuron, weight=2.0)
    values = {**model.parameters}
    values["input->map#2.weight"] = -0.2 * values["input->map#2.weight"]
    model = replace(model, parameters=values)
    files = PYNN.write(model)
    assert b"('input', 'map', 'input->map#2')" in files[".py"]
    assert b"synapses have post, pre and a weight" in files[".py"]
    found = plain(PYNN.read_back(files))
    for ends, weights in expected(model).weights.items():
        np.testing.assert_array_equal(found.weights[ends], weights)
    stimuli = np.random.default_rng(1).random((2, 6))
    np.save(tmp_path / "stimuli.npy", stimuli)
    done = run(tmp_path, model, simulator, "--stimuli", "stimuli.npy")
    assert done.returncode == 0, done.stderr
    counts = wanted(model, stimuli)
    assert counts.any()
    lines = [line.split() for line in done.stdout.splitlines()[-2:]]
    np.testing.assert_array_equal(np.array(lines, dtype=int), counts)


@needs_pynn
def test_many_numbers_stand_beside_the_script(tmp_path: Path) -> None:
    model = spiking(chain(30, 40, 3), weight=0.3)
    files = PYNN.write(model)
    assert set(files) == {".py", ".npz"}
    assert len(files[".py"]) < 20_000
    stimulus = np.linspace(0.0, 1.0, 30)
    done = run(tmp_path, model, "nest", "--stimulus", *map(str, stimulus))
    assert done.returncode == 0, done.stderr
    found = [int(each) for each in done.stdout.splitlines()[-1].split()]
    assert found == wanted(model, stimulus[None]).astype(int)[0].tolist()


@needs_pynn
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nest", "--stimulus", *"1111112"), "a stimulus has 7 values in [0, 1]"),
        (("neuron", "--stimulus", *"1111111"), "no IF_curr_delta on NEURON"),
    ],
)
def test_the_script_says_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, spiking(neuron=IFCurrDelta()), *arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "model",
    [
        spiking(),
        spiking(neuron=IFCurrDelta(i_offset=0.3, tau_refrac=1.2), dt=0.1),
        spiking(neuron=IFCondExp(e_rev_I=-80.0), coding=Poisson(30.0)),
        spiking(chain(30, 40, 3)),
        spiking(fork(2, 3, 4, 1)),
    ],
)
def test_what_is_read_back_is_the_model(model: SpikingModel) -> None:
    found, there = plain(PYNN.read_back(PYNN.write(model))), expected(model)
    assert (found.populations, found.dt) == (there.populations, there.dt)
    assert (found.inputs, found.outputs) == (there.inputs, there.outputs)
    assert list(found.populations) == list(there.populations)
    assert (found.delays, found.weights.keys()) == (there.delays, there.weights.keys())
    for ends, weights in there.weights.items():
        np.testing.assert_array_equal(found.weights[ends], weights)
    assert found.biases.keys() == there.biases.keys()
    for name, biases in there.biases.items():
        np.testing.assert_array_equal(found.biases[name], biases)
    for name, cells in found.cells.items():
        assert cells == there.cells[name]
    given = isinstance(model.coding, Poisson)
    assert set(found.cells) == set(there.cells) - (set(found.inputs) if given else set())


def test_names_are_texts_and_never_code() -> None:
    text = PYNN.write(spiking())[".py"].decode()
    assert text.isascii()
    tree = ast.parse(text)
    plain = ast.parse(PYNN.write(spiking(chain(2, 1)))[".py"])
    kinds = [[type(each) for each in tree.body] for tree in (tree, plain)]
    assert kinds[0] == kinds[1]
    assert "exit()" not in text.replace(ascii(NAMED[0]), "")


def test_what_is_no_such_script_is_refused_and_not_run(tmp_path: Path) -> None:
    files = dict(PYNN.write(spiking(chain(3, 2))))
    text, mark = files[".py"].decode(), tmp_path / "run"
    act = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    large = PYNN.write(spiking(chain(30, 40, 3)))
    for each in (
        {},
        {".py": b"\xff"},
        {".py": text.replace("DT = 0.5", f"DT = {act}").encode()},
        {".py": text.replace("DT = 0.5", f"{act}\nDT = 0.5").encode()},
        {".py": text.replace("STEPS = 50\n", "").encode()},
        {".py": text.replace("DT = 0.5", "DT = (").encode()},
        {".py": text.replace("sim.run(", "sim.run(2 * ").encode()},
        {".py": large[".py"]},
        {".py": large[".py"], ".npz": b"PK"},
        {".py": text.replace("dense_1.bias", "dense_1.bios").encode()},
        {".py": text.replace("DT = 0.5", "DT = " + "(" * 10_000).encode()},
        {".py": text.replace("exp(-dt/tau_m)", "exp(-dt/tau_w)").encode()},
    ):
        with pytest.raises(DataError, match="not a script"):
            PYNN.read_back(each)
    assert not mark.exists()


def test_refusals() -> None:
    network = chain(3, 2)
    with pytest.raises(UnsupportedError, match="pynn has no artificial networks"):
        PYNN.write(ArtificialModel(network, spiking(network).parameters, ReLU()))
    with pytest.raises(UnsupportedError, match="pynn lacks the readout 'membrane'"):
        PYNN.write(spiking(network, readout="membrane"))
    with pytest.raises(UnsupportedError, match="pynn lacks the reset 'subtract'"):
        PYNN.write(spiking(network, IFCurrExp(reset="subtract")))


def test_a_thousand_numbers_are_still_in_the_script() -> None:
    sizes = (24, 40)
    assert sizes[0] * sizes[1] + sizes[1] == MOST_NUMBERS
    assert set(PYNN.write(spiking(chain(*sizes)))) == {".py"}
    assert set(PYNN.write(spiking(chain(sizes[0], sizes[1] + 1)))) == {".py", ".npz"}
