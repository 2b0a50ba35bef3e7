"""Whatever is changed in a running simulator or a written document is found, in what was asked.

Of each back end and each field the test either finds the difference, or is skipped with the reason
for which the back end is told that field: it is never passed without having asked.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.backends.conformance import TARGETS, Target, need
from tests.verification.mutants import (
    ARTIFICIAL,
    NETWORK,
    SPIKING,
    TOGETHER,
    WIDE,
    NotPlantedError,
    Read,
    artificial,
    artificial_model,
    engine,
    nir_files,
    scripts,
    spiking_model,
)
from tests.verification.mutants.workers import MutatingPool, mutating

from volr.backends.base import ArtificialBackend, Document, SpikingBackend
from volr.backends.expected import expected
from volr.neurons import IFCurrExp
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from volr.models.model import Model
    from volr.verification.differences import Comparison

READS: dict[str, Read] = {
    "reference": artificial.reference,
    "torch": artificial.torch,
    "onnx": artificial.onnx,
    "onnx file": artificial.onnx_file,
    "futhark": artificial.futhark,
    "futhark file": artificial.futhark_file,
    "engine": engine.engine,
    "pynn file": scripts.pynn,
    "brian2 file": scripts.brian2,
    "nir file": nir_files.nir,
    **{
        f"nir.{name} file": nir_files.dialect(name)
        for name in ("norse", "snntorch", "spikingjelly", "sinabs")
    },
}
KERNELS = {
    "nest": "nest_kernel",
    "brian2": "brian2_kernel",
    **{f"pynn.{name}": "pynn_kernel" for name in ("nest", "brian2", "neuron")},
}
# Where many mutations are planted at once.
SLOW = ("brian2", "pynn.nest", "pynn.brian2", "pynn.neuron")


def has(target: Target, mutation: str) -> bool:
    """Whether there are models of the target's for which the mutation means something."""
    return not mutation.startswith("e_rev") or "if_cond_exp" in neurons_of(target)


def neurons_of(target: Target) -> tuple[str, ...]:
    return () if isinstance(target, ArtificialBackend) else target.neurons


def cases() -> list[Any]:
    found: list[Any] = []
    for name in (*READS, *KERNELS):
        target = TARGETS[name]
        if not isinstance(target, SpikingBackend) and target.activations:
            found += [pytest.param(name, "ANN", each, id=f"{name}-{each}") for each in ARTIFICIAL]
        if neurons_of(target):
            found += [
                pytest.param(name, "SNN", each, id=f"{name}-snn-{each}")
                for each in SPIKING
                if has(target, each)
            ]
    return found


def model_of(target: Target, generation: str, mutation: str) -> Model:
    if generation == "ANN":
        return artificial_model()
    scripts = {"pynn", "brian2"} if isinstance(target, Document) else set[str]()
    wide = mutation == "precision" and target.name in scripts
    # Slow ones have one model, whose neurons have all that mutations change.
    of = "e_rev_E" if target.name in SLOW and not isinstance(target, Document) else mutation
    model = spiking_model(of, WIDE if wide else NETWORK)
    neuron = model.neuron
    if isinstance(target, Document) and target.name.startswith("nir"):
        # CubaLIF has one synapse, and importers have no refractoriness.
        assert isinstance(neuron, IFCurrExp)
        rest = 0.0 if "." in target.name else neuron.tau_refrac
        neuron = replace(neuron, tau_syn_I=neuron.tau_syn_E, tau_refrac=rest)
    if target.name == "nir.sinabs" or (target.name, mutation) == ("nest", "reset"):
        neuron = replace(neuron, reset="subtract")
    return replace(model, neuron=neuron)


class Reader:
    """Back ends, each started when it is first needed; nothing is built twice in the same way."""

    def __init__(self) -> None:
        self._simulators: dict[str, tuple[Any, MutatingPool]] = {}
        self._found: dict[Any, Comparison] = {}

    def close(self) -> None:
        for simulator, _ in self._simulators.values():
            simulator.__exit__(None, None, None)

    def compared(self, name: str, model: Model, mutations: Mapping[str, str]) -> Comparison:
        """What differs where the mutations are planted, each in its place."""
        network, neuron = model.network, getattr(model, "neuron", None)
        key = name, network.populations, neuron, tuple(mutations)
        if key not in self._found:
            wanted = expected(model, TARGETS[name].precision)
            self._found[key] = compare(wanted, self._read(name, model, mutations))
        return self._found[key]

    def _read(self, name: str, model: Model, mutations: Mapping[str, str]) -> Any:
        if name in READS:
            return READS[name](model, next(iter(mutations), None))
        if name not in self._simulators:
            target = TARGETS[name]
            assert isinstance(target, SpikingBackend)
            simulator: Any = target.start().__enter__()
            self._simulators[name] = simulator, mutating(simulator, KERNELS[name])
        simulator, pool = self._simulators[name]
        pool.mutations = mutations
        return simulator.read_back(model)


@pytest.fixture(scope="module")
def reader() -> Generator[Reader]:
    found = Reader()
    yield found
    found.close()


def planted_with(name: str, mutation: str) -> Mapping[str, str]:
    """The mutations that are planted along with this one, itself among them, and their places."""
    if name in SLOW:
        return next(each for each in TOGETHER if mutation in each)
    return {mutation: ""}


@pytest.mark.parametrize(("name", "generation", "mutation"), cases())
def test_a_mutation_is_found_where_the_back_end_is_asked(
    reader: Reader, name: str, generation: str, mutation: str
) -> None:
    target = TARGETS[name]
    need(target)
    model = model_of(target, generation, mutation)
    fields = (ARTIFICIAL if generation == "ANN" else SPIKING)[mutation]
    whole = reader.compared(name, model, {})
    assert whole.differences == ()
    tallies = [whole.fields[each] for each in fields]
    if not any(each.asked for each in tallies):
        why = dict.fromkeys(itertools.chain.from_iterable(each.why for each in tallies))
        pytest.skip(f"{name} is told {', '.join(fields)}: {'; '.join(why)}")
    mutations = planted_with(name, mutation)
    try:
        found = reader.compared(name, model, mutations)
    except NotPlantedError as error:
        pytest.skip(f"{mutation} cannot be planted in {name}: {error}")
    place = mutations[mutation]
    assert any(each.field in fields and place in {"", each.where} for each in found.differences), (
        list(map(str, found.differences))
    )


def test_every_back_end_and_document_has_its_mutations() -> None:
    assert {*READS, *KERNELS} == set(TARGETS)
