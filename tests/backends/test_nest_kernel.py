"""A kernel of NEST's builds a network once, and anew where anything about it is another."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.needs import needs_nest

pytestmark = needs_nest

# In a process of its own, as a kernel is.
PROGRAM = """
import contextlib, json, sys
import numpy as np
from dataclasses import replace
from tests.oracles import chain, random_parameters
from volr.backends.base import Record
from volr.backends.messages import Held
from volr.backends.nest import _requests, kernel
from volr.models.model import SpikingModel

network, built, sizes = chain(4, 5, 3), [], []
values = random_parameters(network, np.random.default_rng(0), weight=2.0, bias=0.4)
model = SpikingModel(network=network, parameters=values)
heavier = replace(model, parameters={name: 1.5 * each for name, each in values.items()})
stimuli = np.random.default_rng(1).random((5, 4))
here, there = Held(), Held()
build = kernel._build
kernel._build = lambda *given: built.append(given) or build(*given)
with contextlib.redirect_stdout(sys.stderr):
    for each, record in (
        (model, Record()), (heavier, Record()), (heavier, Record(spikes=("input",)))
    ):
        for request in _requests(each, stimuli, record, 0, 2, 0):
            whole = there.put_back(here.left_out(request))
            sizes.append(len(kernel.handle(*whole)["dense_2.counts"]))
        sizes.append(-len(built))
    # A larger batch does not fit.
    largest = next(iter(_requests(heavier, stimuli, record, 0, 5, 0)))
    kernel.handle(*there.put_back(here.left_out(largest)))
print(json.dumps([sizes, len(built)]))
"""


def test_a_network_is_built_once_for_all_batches_that_it_serves() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[2, 2, 1, -1, 2, 2, 1, -2, 2, 2, 1, -3], 4]
