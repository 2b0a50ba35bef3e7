"""What may be done about a cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from volr.backends.engine import ENGINE
from volr.explanation.causes import TITLES
from volr.explanation.remedies import AGAIN, remedies
from volr.models.coding import Poisson
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel
from volr.transfer import TransferSettings

NEURONS = [IFCurrDelta(), IFCurrExp(), IFCondExp()]


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda each: each.name)
def test_the_same_again_only_where_it_may_be_another(neuron: NeuronModel) -> None:
    now = TransferSettings(neuron=neuron, percentile=99.95)
    unknown = remedies(TITLES, now, ENGINE, again=True)
    known = remedies(TITLES, now, ENGINE, again=False)
    assert AGAIN in {each.option for each in unknown}
    assert known == tuple(each for each in unknown if each.option != AGAIN)
    # What is recommended changes something, and can be made.
    assert all(each.settings != now for each in known)


def test_what_fits_the_network_at_hand() -> None:
    def said(now: TransferSettings) -> set[str]:
        return {each.option for each in remedies(TITLES, now, ENGINE, again=False)}

    now = TransferSettings(neuron=IFCurrExp(), percentile=95.0, dt=0.5, delay=1.5)
    assert {"--percentile 99.9", "--delay 0.5", "--duration 100", "--rate-max 1000"} <= said(now)
    assert "--coding current" in said(replace(now, coding=Poisson(300.0)))
    # Where populations have a rate of their own, it is that which changes.
    conductances = said(TransferSettings(neuron=IFCondExp()))
    assert {"--population-rate 2000", "--neuron if_curr_exp"} <= conductances
    # A spike in every step is all that there can be.
    assert "--rate-max 2000" not in said(TransferSettings(dt=1.0, coding=None))
