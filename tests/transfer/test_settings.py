"""What a transfer may be told."""

from __future__ import annotations

from typing import Any

import pytest

from volr.errors import ModelError
from volr.transfer import TransferSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rounds": 1.5}, "rounds is 1.5, not a whole number"),
        ({"samples": "all"}, "samples is 'all', not a whole number"),
        ({"percentile": None}, "percentile is None, not a number"),
        ({"population_rate": "fast"}, "population_rate is 'fast', not a number"),
        ({"neuron": "if_curr_exp"}, "neuron is 'if_curr_exp', not one of IFCurrDelta"),
        ({"coding": "poisson"}, "coding is 'poisson', not one of ConstantCurrent"),
        ({"dt": "0.5"}, "dt is '0.5', not a number"),
        ({"seed": None}, "seed is None, not a whole number"),
        ({"population_rate": 1e-320}, "population_rate is 1e-320 Hz"),
        ({"population_rate": 1e-9}, "population_rate is 1e-09 Hz"),
        ({"population_rate": float("inf")}, "population_rate is inf Hz"),
        ({"population_rate": float("nan")}, "population_rate is nan Hz"),
        ({"percentile": float("nan")}, "percentile is nan"),
        ({"percentile": 0}, "percentile is 0"),
        ({"population_rate": 1e12}, "population_rate is 1e+12 Hz, but a step of 0.5 ms allows"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_given(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match="this transfer cannot be made") as caught:
        TransferSettings(**given)
    assert said in caught.value.message
