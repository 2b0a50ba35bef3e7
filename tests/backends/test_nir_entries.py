"""Every entry of a ring's arrays counts: one that is another makes another network, and is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("h5py")
pytest.importorskip("nir")

from tests.importers.matrix import PARALLEL, model_of, neuron_of
from tests.verification.mutants.nir_files import _changed_graph

from volr.backends import document
from volr.backends.expected import expected
from volr.backends.nir import dialects
from volr.errors import ModelFileError
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.models.model import SpikingModel

ARRAYS = (("drive", "weight"), ("drive", "bias"), ("recurrent", "weight"), ("select", "weight"))


def model_for(name: str, kind: str) -> SpikingModel:
    reset = document(f"nir.{name}").resets[0]
    return model_of(PARALLEL, neuron_of(kind, reset), delay=2)


def differences(model: SpikingModel, name: str, change: Callable[[Any], None]) -> list[str]:
    """What `verify` would say of a file that was changed after it was written."""
    target = document(f"nir.{name}")
    try:
        found = target.read_back(_changed_graph(target.write(model), change))
    except ModelFileError as error:
        return [error.message]
    return [str(each) for each in compare(expected(model, target.precision), found).differences]


def leave(graph: Any) -> None:
    """Change nothing."""
    del graph


def set_entry(graph: Any, node: str, array: str, place: tuple[int, ...]) -> None:
    """What is there is taken away, and where nothing is, there is something then."""
    values = getattr(graph.nodes[node], array)
    values[place] = 0.0 if values[place] != 0.0 else 50.0


@pytest.mark.parametrize("kind", ["delta", "exp"])
@pytest.mark.parametrize("name", dialects.DIALECTS)
def test_every_entry_counts(name: str, kind: str) -> None:
    model, rng = model_for(name, kind), np.random.default_rng(0)
    assert differences(model, name, leave) == []
    for node, array in ARRAYS:
        shape: list[tuple[int, ...]] = []
        differences(
            model,
            name,
            lambda graph, n=node, a=array, s=shape: s.append(getattr(graph.nodes[n], a).shape),
        )
        for _ in range(5):
            place = tuple(int(rng.integers(size)) for size in shape[0])
            said = differences(
                model, name, lambda graph, n=node, a=array, p=place: set_entry(graph, n, a, p)
            )
            assert said, (node, array, place)


@pytest.mark.parametrize("name", dialects.DIALECTS)
def test_a_push_below_the_threshold_is_told(name: str) -> None:
    # All relays of the inputs get a tenth of what they need.
    def weaken(graph: Any) -> None:
        graph.nodes["drive"].weight *= 0.1

    said = "\n".join(differences(model_for(name, "exp"), name, weaken))
    assert "do not reach their threshold" in said


@pytest.mark.parametrize("name", dialects.DIALECTS)
def test_a_time_constant_of_0_is_none_of_ours(name: str) -> None:
    def forget(graph: Any) -> None:
        cells = graph.nodes["cells"]
        for key in ("tau", "tau_mem", "tau_syn"):
            if hasattr(cells, key):
                setattr(cells, key, 0.0 * getattr(cells, key))

    (said,) = differences(model_for(name, "exp"), name, forget)
    assert said.startswith("this NIR file is none of Volr's")


@pytest.mark.parametrize("name", dialects.DIALECTS)
def test_edges_of_the_graph_count(name: str) -> None:
    model = model_for(name, "delta")
    said = differences(model, name, lambda graph: graph.edges.append(("input", "select")))
    assert any("is too many" in each for each in said)
    said = differences(model, name, lambda graph: graph.edges.remove(("select", "output")))
    assert said
