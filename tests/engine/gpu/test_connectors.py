"""Connectors in PyTorch, against the connector's own formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from tests.engine.connected import CONNECTED
from tests.engine.derivatives import tensors
from tests.engine.examples import random_spikes, spiking_model
from tests.network.connectors.test_connectors import every_case, weights_of

from volr.engine.gpu import matrices
from volr.engine.gpu.connectors import arriving
from volr.engine.schedule import Term, schedule_of
from volr.errors import UnsupportedError
from volr.network.connectors import OneToOne

if TYPE_CHECKING:
    from volr.network.connectors import Connector, Shape


@every_case
def test_what_arrives_is_what_the_formula_says(
    connector: Connector, source: Shape, target: Shape
) -> None:
    weights = weights_of(connector, source, target)
    sent = np.random.default_rng(1).normal(size=(4, 3, math.prod(source)))
    term = Term("a", "w", (source, target), connector)
    found = arriving(term, torch.tensor(weights), torch.tensor(sent)).numpy()
    expected = connector.apply(weights, sent.reshape(12, -1), source, target)
    np.testing.assert_allclose(found.reshape(12, -1), expected, rtol=0, atol=1e-12)


@dataclass(frozen=True)
class Unheard(OneToOne):
    """A connector without an operation."""


def test_a_connector_without_an_operation_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="lacks the connector 'one_to_one'"):
        arriving(Term("a", "w", ((3,), (3,)), Unheard()), torch.ones(1), torch.ones(2, 2, 3))


def test_synapses_of_both_kinds_that_become_one_are_refused() -> None:
    model = spiking_model("exp two decays", CONNECTED)
    schedule = schedule_of(model)
    spikes = torch.tensor(random_spikes(schedule, 2))
    with pytest.raises(UnsupportedError, match=r"of avgpool 3x2 stride:1' into if_curr_exp"):
        matrices.respond(schedule, tensors(model.parameters), spikes)
