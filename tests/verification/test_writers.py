"""A mistake in what writes a document is found, or what it is in is told: never just equal."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.needs import needs
from tests.verification.mutants import artificial_model, spiking_model
from tests.verification.mutants.writers import NODES, PROGRAMS, RING, Mistake

from volr.backends import document, target
from volr.backends.base import Document
from volr.backends.brian2 import script as brian2_script
from volr.backends.expected import expected
from volr.backends.nir.dialects import document_for, ring, ring_graph, writing
from volr.backends.pynn import script as pynn_script
from volr.backends.scripts import Kind
from volr.neurons import IFCurrExp
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from volr.models.model import Model, SpikingModel
    from volr.verification.differences import Comparison

IMPORTERS = tuple(NODES)


def ring_model(name: str) -> SpikingModel:
    """It starts elsewhere than where it is reset to, has currents, and relays."""
    model = spiking_model("")
    neuron = model.neuron
    assert isinstance(neuron, IFCurrExp)
    neuron = replace(neuron, tau_refrac=0.0, tau_syn_I=neuron.tau_syn_E)
    return replace(model, neuron=replace(neuron, reset=document(f"nir.{name}").resets[0]))


def compared(found: Document, model: Model) -> Comparison:
    return compare(expected(model, found.precision), found.read_back(found.write(model)))


@needs("h5py")
@pytest.mark.parametrize("mistake", RING.values(), ids=RING)
@pytest.mark.parametrize("name", IMPORTERS)
def test_a_mistake_in_the_ring_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, mistake: Mistake
) -> None:
    model, found = ring_model(name), document(f"nir.{name}")
    assert compared(found, model).differences == ()
    monkeypatch.setattr(writing, "ring", mistake.loaded(ring).ring)
    assert any(each.field.startswith("rest.") for each in compared(found, model).differences)


@needs("h5py")
@pytest.mark.parametrize(
    ("name", "said"), [(name, said) for name, each in NODES.items() for said in each]
)
def test_a_mistake_in_the_nodes_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    model, mistake = ring_model(name), NODES[name][said]
    module = importlib.import_module(f"volr.backends.nir.dialects.{name}")
    if mistake.right in inspect.getsource(ring_graph):
        monkeypatch.setattr(module, "keeping", mistake.loaded(ring_graph).keeping)
    else:
        module = mistake.loaded(module)
    # The file's reader is mistaken too, where it has the line in common with what writes.
    found = document_for(getattr(module, name.upper()))
    wanted = "rest.edges" if "edge" in said else "rest.cells"
    assert any(each.field == wanted for each in compared(found, model).differences)


@pytest.mark.parametrize(
    ("name", "said"), [(name, said) for name, each in PROGRAMS.items() for said in each]
)
def test_what_the_program_of_a_script_does_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    """Reading cannot see such a mistake, so it may not say that it has looked."""
    mistake, found = PROGRAMS[name][said], target(name)
    assert isinstance(found, Document)
    match name:
        case "pynn":
            wrong = mistake.planted(pynn_script.program(Kind()))

            def mistaken(kind: Kind) -> str:
                assert kind == Kind()
                return wrong

            # The reader has it in common with the writer.
            monkeypatch.setattr(pynn_script, "program", mistaken)
            monkeypatch.setattr("volr.backends.pynn.script_read_back.program", mistaken)
        case "brian2.py":
            wrong = mistake.planted(brian2_script.PROGRAM)
            monkeypatch.setattr(brian2_script, "PROGRAM", wrong)
        case _:
            # The package has a function of that name.
            module = importlib.import_module("volr.backends.futhark.program")
            changed = mistake.loaded(module)
            monkeypatch.setattr("volr.backends.futhark.program", changed.program)
    model = artificial_model() if found.activations else spiking_model("")
    text = found.write(model)[found.suffix].decode()
    assert mistake.wrong in text
    comparison = compared(found, model)
    assert comparison.differences == ()
    program = comparison.fields["rest.program"]
    assert (program.asked, program.told) == (0, 1)
