"""Scripts with first spikes, delays by projection and last membranes do what their models do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.backends.conformance import AWKWARD, SPIKING, need, stimuli_for
from tests.backends.first_spikes import first_spikes, leaking, staircase, stimuli
from tests.backends.kernels import SIGNS
from tests.backends.test_pynn_script import RUN

from volr.backends import DOCUMENTS
from volr.backends.brian2.script import BRIAN2_SCRIPT
from volr.backends.expected import expected
from volr.backends.pynn import PYNN
from volr.backends.reference import activations
from volr.engine.reference import simulate
from volr.errors import UnsupportedError
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from pathlib import Path

    from volr.backends.base import Document
    from volr.checks.arrays import Floats
    from volr.models.model import SpikingModel
    from volr.network import Network


def said_by_a_script(
    folder: Path, document: Document, simulator: str, model: SpikingModel, shown: Floats
) -> Floats:
    """What a script prints for stimuli, ``[batch, unit]``; it is read back as well."""
    files = document.write(model)
    assert not compare(expected(model), document.read_back(files)).differences
    for suffix, body in files.items():
        (folder / f"net{suffix}").write_bytes(body)
    np.save(folder / "stimuli.npy", shown)
    start = ["-c", RUN, "net.py", simulator] if simulator else ["net.py"]
    done = subprocess.run(
        [sys.executable, *start, "--stimuli", "stimuli.npy", "--seed", "4"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [
        line.partition(": ")[2].partition("  (")[0] or line for line in done.stdout.splitlines()
    ]
    return np.array([line.split() for line in lines[-len(shown) :]], float)


@pytest.mark.parametrize(
    ("document", "simulator", "count"),
    [(PYNN, "nest", 3), (PYNN, "brian2", 1), (PYNN, "neuron", 1), (BRIAN2_SCRIPT, "", 3)],
    ids=["pynn-nest", "pynn-brian2", "pynn-neuron", "brian2"],
)
def test_a_script_prints_the_whole_numbers(
    tmp_path: Path, document: Document, simulator: str, count: int
) -> None:
    need(SPIKING[f"pynn.{simulator}" if simulator else "brian2"])
    shown = stimuli(4)[1 : 1 + count]
    wanted = activations(staircase(), shown)
    found = said_by_a_script(tmp_path, document, simulator, first_spikes(), shown)
    outputs = [wanted[name] for name in first_spikes().network.outputs]
    np.testing.assert_array_equal(found, np.concatenate(outputs, axis=1))


@pytest.mark.parametrize(
    ("document", "simulator", "network"),
    [(BRIAN2_SCRIPT, "", AWKWARD), (PYNN, "nest", SIGNS)],
    ids=["brian2-matrices", "pynn-lists"],
)
def test_a_script_has_delays_by_projection_and_prints_last_membranes(
    tmp_path: Path, document: Document, simulator: str, network: Network
) -> None:
    need(SPIKING[f"pynn.{simulator}" if simulator else "brian2"])
    if network is SIGNS:
        network = replace(network, outputs=(network.layers[-1].name,))
    model, shown = leaking(network), stimuli_for(network, 2)
    trace = simulate(model, shown, seed=4)
    last = [trace.membranes[name][-1] - model.neuron.v_rest for name in network.outputs]
    found = said_by_a_script(tmp_path, document, simulator, model, shown)
    np.testing.assert_allclose(found, np.concatenate(last, axis=1), rtol=1e-5, atol=1e-5)


def test_the_clock_of_a_script_is_compared() -> None:
    model = first_spikes()
    for document in (PYNN, BRIAN2_SCRIPT):
        files = dict(document.write(model))
        text = files[".py"].decode()
        assert text.count("TICKS = [5, 6,") == 1
        files[".py"] = text.replace("TICKS = [5, 6,", "TICKS = [5, 7,").encode()
        (difference,) = compare(expected(model), document.read_back(files)).differences
        assert str(difference) == (
            "clock: neuron 1 spikes in step 7, expected spikes in step 6 "
            "(the spike is 1 step too late)"
        )


@pytest.mark.parametrize("name", ["nir", "nir.norse", "nir.sinabs"])
def test_nir_says_why_it_has_no_first_spikes(name: str) -> None:
    (document,) = (each for each in DOCUMENTS if each.name == name)
    with pytest.raises(UnsupportedError) as caught:
        document.write(first_spikes())
    said = caught.value.message
    assert said.startswith(f"{name} lacks the input coding 'first-spike': ")
    assert "has no refractory period" in said
    assert "write it for brian2" in (caught.value.help or "")
