"""A kernel of PyNN's lives through many networks, and keeps none of them."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.needs import needs

pytestmark = needs("pyNN", "neuron", "c++", "make")

# In a process of its own, as a kernel is; it counts what NEURON goes on simulating.
PROGRAM = """
import contextlib, json, sys
import numpy as np
from tests.oracles import chain, random_parameters
from volr.backends.base import Record
from volr.backends.pynn import _requests, kernel
from volr.backends.pynn.translation import NEURON
from volr.models.coding import ConstantCurrent, Poisson
from volr.models.model import SpikingModel
from volr.neurons import IFCurrExp

network, counted = chain(4, 5, 3), []
values = random_parameters(network, np.random.default_rng(0), weight=1.5, bias=0.4)
with contextlib.redirect_stdout(sys.stderr):
    for coding in (ConstantCurrent(), Poisson(300.0)):
        neuron = IFCurrExp(tau_refrac=1.0)
        model = SpikingModel(network=network, parameters=values, neuron=neuron, coding=coding)
        stimuli = np.random.default_rng(1).random((6, 4))
        for arrays, settings in _requests(NEURON, model, stimuli, Record(), 0, 2, 0):
            assert kernel.handle(arrays, settings)["dense_2.counts"].shape == (2, 3)
            from neuron import h
            counted.append((len(list(h.allsec())), int(h.List("NetCon").count())))
print(json.dumps(counted))
"""


def test_neuron_forgets_one_network_before_the_next() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    # PyNN has a section of its own, to look mechanisms up in.
    assert json.loads(done.stdout.splitlines()[-1]) == [[1, 0]] * 6
