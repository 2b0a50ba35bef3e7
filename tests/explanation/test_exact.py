"""Networks with first spikes explained: the proof, the labels of a back end, and quantisation."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.explanation.test_quantisation import DENSE, both
from tests.oracles import PlainSimulator

from volr.backends.reference import forward
from volr.errors import DataError, ModelError
from volr.exact.first_spikes import to_first_spikes
from volr.exact.proof import prove
from volr.explanation import explain
from volr.explanation.exact import explain_exact
from volr.explanation.quantisation import explain_quantisation
from volr.models.coding import CODING_NAMES
from volr.models.model import SpikingModel

if TYPE_CHECKING:
    from typing import Any

    from volr.backends.base import Recordings


class Exact(PlainSimulator):
    """The equations, for first spikes too."""

    backend = replace(
        PlainSimulator.backend,
        codings=CODING_NAMES,
        readouts=("count", "membrane", "final"),
        delays=True,
        several=True,
        merges=("sum", "max"),
        start=lambda: nullcontext(Exact()),
    )


class Wrong(Exact):
    """Outputs of the wrong sign."""

    def run(self, *given: Any, **others: Any) -> Recordings:
        found = super().run(*given, **others)
        return replace(found, finals={name: -each for name, each in found.finals.items()})


def test_nothing_is_lost_but_by_quantisation() -> None:
    ann, whole, shown, _ = both(DENSE)
    shown, snn = shown.first(60), to_first_spikes(whole)
    told: list[str] = []

    def tell(stage: str, *_: object) -> None:
        told.append(stage)

    found = explain_exact(snn, shown, Exact(), ann=ann, progress=tell)
    labels = forward(whole, shown.inputs).argmax(axis=1)
    assert found.accuracy == (labels == shown.labels).mean()
    assert (found.differing, found.samples, found.backend) == (0, 60, "plain")
    assert found.proof == prove(snn)
    loss = explain_quantisation(ann, whole, shown)
    assert found.quantisation == loss
    assert found.summary.startswith("Nothing was lost: for every stimulus, the spiking network")
    assert found.summary.endswith(loss.summary)
    assert set(told) == {"splitting the gap", "simulating"}
    alone = explain_exact(snn, shown, Exact())
    assert alone.quantisation is None
    assert alone.summary.endswith("the labels of all 60 stimuli on plain are the same.")


def test_a_back_end_that_gives_other_labels_is_told() -> None:
    _, whole, shown, _ = both(DENSE)
    shown = shown.first(40)
    found = explain_exact(to_first_spikes(whole), shown, Wrong())
    logits = forward(whole, shown.inputs)
    assert found.differing == (logits.argmax(axis=1) != logits.argmin(axis=1)).sum() > 30
    assert found.summary.startswith(f"{found.differing} of 40 labels on plain are not those")


def test_what_has_no_proof_is_refused() -> None:
    ann, whole, shown, _ = both(DENSE)
    snn = to_first_spikes(whole)
    values = dict(snn.parameters)
    values["input->dense_1.weight"] = np.where(np.arange(35).reshape(7, 5) == 8, 2, 1) * np.asarray(
        values["input->dense_1.weight"]
    )
    with pytest.raises(ModelError, match="does not compute the whole numbers"):
        explain_exact(replace(snn, parameters=values), shown, Exact())
    with pytest.raises(ModelError, match="has the coding current"):
        explain_exact(SpikingModel(network=ann.network, parameters=ann.parameters), shown, Exact())
    with pytest.raises(DataError, match="no samples"):
        explain_exact(snn, shown.first(0), Exact())
    with pytest.raises(ModelError, match="has no spike counts to explain"):
        explain(whole, snn, shown, Exact())
