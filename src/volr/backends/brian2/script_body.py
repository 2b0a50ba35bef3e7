"""The part of a Brian2 script that is the same for all models: it runs what the tables say.

What begins with marks and a ``|`` is for some kinds of scripts: see ``program_for`` in
``volr.backends.scripts``.
"""

HEAD = '''\
"""A spiking network for Brian2, written by Volr. It needs Brian2 and NumPy, and nothing else.

    python net.py --stimulus 0.2,0.9 …       the values of one stimulus, each in [0, 1]
    python net.py --stimuli FILE.npy         an array [stimulus, value]
        --target numpy|cython|cpp_standalone what Brian2 generates code in
        --seed N                             of random input spikes
        --save FILE.npz                      name.spikes [step, stimulus, neuron]

Printed is one line for each stimulus: what its outputs say. The tables come first.
"""

import argparse
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses
from brian2 import defaultclock, device, prefs, set_device
from brian2 import mV, ms, nA, nF, uS, volt
'''

PROGRAM = '''\
# What there is room for at once.
COPIES = 100


1|def solution(*_):
1|    """What Brian2 asks of a method: the state after a step, from the one before it."""
1|    return STEP
1|
1|
def drive(name, values, first, seed):
    """What an input gets for stimuli ``values``: currents, or spikes [step, stimulus, neuron]."""
f|    if name == CLOCK:
f|        ticks = np.arange(STEPS)[:, None, None] == np.array(TICKS)
f|        return np.repeat(ticks, len(values), axis=1)
    start = sum(POPULATIONS[each] for each in INPUTS[: INPUTS.index(name)])
    part = slice(start, start + POPULATIONS[name])
f|    # In single precision first, so that all that find this whole number round alike.
f|    shown = values[:, part].astype(np.float32).astype(np.float64)
f|    return np.arange(STEPS)[:, None, None] == LEVELS - np.floor(shown * LEVELS + 0.5)
r|    if CODING == "current":
1r|        return LEVEL_CURRENTS[np.searchsorted(LEVEL_EDGES, values[:, part] * FULL)]
nr|        levels = np.searchsorted(LEVEL_EDGES[name], values[:, part] * FULL)
nr|        return LEVEL_CURRENTS[name][levels]
r|    trains = []
r|    for number, row in enumerate(values):
r|        drawn = np.random.default_rng([seed, first + number]).random((STEPS, len(row)))
r|        trains.append((drawn < row * FULL)[:, part])
r|    return np.stack(trains, axis=1)


def neurons(name, currents):
    """A population for each stimulus, one behind the other; ``currents`` are theirs."""
n|    EQUATIONS, STEP, RESET, NEURON, *_ = NEURONS[name].values()
n|
n|    def solution(*_):
n|        """What Brian2 asks of a method: the state after a step, from the one before it."""
n|        return STEP
n|
    group = NeuronGroup(
        currents.size,
        EQUATIONS,
        method=solution,
        threshold=THRESHOLD,
        reset=RESET,
        refractory=REFRACTORY,
        namespace={},
    )
    for parameter, value in NEURON.items():
        setattr(group, parameter, value)
    if name in SILENT:
        group.fires_at = 1e300 * volt
    group.I = currents
    return group


def sources(spikes):
    """What stands for input neurons that are given as spikes."""
    steps, index = np.nonzero(spikes.reshape(STEPS, -1))
    return SpikeGeneratorGroup(spikes[0].size, index, steps * DT, sorted=True)


1mu|def synapses(source, target, weights, copies):
nmu|def synapses(source, target, name, weights, copies):
1md|def synapses(source, target, weights, copies, ends):
nmd|def synapses(source, target, name, weights, copies, ends):
m|    """Within each copy a synapse for each weight that is a number; one object for each pathway."""
1su|def synapses(source, target, those, copies):
nsu|def synapses(source, target, name, those, copies):
1sd|def synapses(source, target, those, copies, ends):
nsd|def synapses(source, target, name, those, copies, ends):
s|    """Within each copy those synapses; one object for each pathway."""
n|    *_, WEIGHT, PATHWAYS, SLOT, DELAY = NEURONS[name].values()
m|    post, pre = weights.shape
s|    before, after, weights = those
    plain = np.asarray(weights)
m|    masks = [plain >= 0, plain < 0] if len(PATHWAYS) == 2 else [~np.isnan(plain)]
s|    masks = [plain >= 0, plain < 0] if len(PATHWAYS) == 2 else [np.isfinite(plain)]
    for code, mask in zip(PATHWAYS, masks):
m|        before, after = np.nonzero(mask.T)
m|        if before.size == 0:
s|        if not mask.any():
            continue
        blocks = np.arange(copies)[:, None]
u|        pathway = Synapses(source, target, WEIGHT, on_pre=code, delay=DELAY, namespace={})
d|        delay = DELAYS.get(ends, DELAY)
d|        pathway = Synapses(source, target, WEIGHT, on_pre=code, delay=delay, namespace={})
        pathway.pre.when = SLOT
m|        pathway.connect(i=(blocks * pre + before).ravel(), j=(blocks * post + after).ravel())
m|        pathway.w = np.tile(weights[after, before], copies)
s|        pathway.connect(
s|            i=(blocks * (source.N // copies) + np.asarray(before)[mask]).ravel(),
s|            j=(blocks * (target.N // copies) + np.asarray(after)[mask]).ravel(),
s|        )
s|        pathway.w = np.tile(weights[mask], copies)
        yield pathway


def simulate(values, first, seed):
    """Spikes [step, stimulus, neuron] by population, and what the outputs say, side by side."""
    copies = len(values)
    defaultclock.dt = DT
    groups = {}
    for name in POPULATIONS:
r|        if name not in INPUTS:
f|        if name not in (*INPUTS, CLOCK):
            groups[name] = neurons(name, np.tile(CURRENTS[name], copies))
r|        elif CODING == "current":
r|            groups[name] = neurons(name, drive(name, values, first, seed).ravel())
        else:
            groups[name] = sources(drive(name, values, first, seed))
    pathways = [
        pathway
mu|        for (source, target), weights in WEIGHTS.items()
1mu|        for pathway in synapses(groups[source], groups[target], weights, copies)
nmu|        for pathway in synapses(groups[source], groups[target], target, weights, copies)
su|        for (source, target, *_), those in SYNAPSES.items()
1su|        for pathway in synapses(groups[source], groups[target], those, copies)
nsu|        for pathway in synapses(groups[source], groups[target], target, those, copies)
md|        for ends, those in WEIGHTS.items()
sd|        for ends, those in SYNAPSES.items()
1d|        for pathway in synapses(groups[ends[0]], groups[ends[1]], those, copies, ends)
nd|        for pathway in synapses(groups[ends[0]], groups[ends[1]], ends[1], those, copies, ends)
    ]
    counters = {name: SpikeMonitor(group) for name, group in groups.items()}
    meters = {name: StateMonitor(groups[name], "v", record=True, when="end") for name in SILENT}
    monitors = [*counters.values(), *meters.values()]
    Network(*groups.values(), *pathways, *monitors).run(STEPS * DT, namespace={})
    trains = {}
    for name, counter in counters.items():
        train = np.zeros((STEPS, copies * POPULATIONS[name]), dtype=bool)
        train[np.rint(np.asarray(counter.t / DT)).astype(int), np.asarray(counter.i)] = True
        trains[name] = train.reshape(STEPS, copies, -1)
    said = []
    for name in OUTPUTS:
        if name in SILENT:
c|            said.append(np.asarray(meters[name].v / mV).mean(axis=1).reshape(copies, -1))
vr|            said.append(np.asarray(meters[name].v / mV)[:, -1].reshape(copies, -1))
vf|            said.append(np.rint(meters[name].v / UNIT)[:, -1].reshape(copies, -1))
        else:
            said.append(trains[name].sum(axis=0))
    return trains, np.concatenate(said, axis=1)


def main():
    parser = argparse.ArgumentParser(description="Simulate this network with Brian2.")
    stimuli = parser.add_mutually_exclusive_group(required=True)
    stimuli.add_argument("--stimulus", help="values, separated by commas")
    stimuli.add_argument("--stimuli", help="a file, .npy, with an array [stimulus, value]")
    targets = ("numpy", "cython", "cpp_standalone")
    parser.add_argument("--target", choices=targets, default="numpy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", help="a file, .npz, for the spikes")
    given = parser.parse_args()
    if given.stimulus is not None:
        values = np.array([[float(each) for each in given.stimulus.split(",")]])
    else:
        values = np.load(given.stimuli, allow_pickle=False)
    size = sum(POPULATIONS[name] for name in INPUTS)
    if values.ndim != 2 or values.shape[1] != size or not ((values >= 0) & (values <= 1)).all():
        parser.error(f"a stimulus is {size} values in [0, 1]; these are {list(values.shape)}")
    # What Brian2 chooses itself, -ffast-math, adds in any order.
    prefs["codegen.cpp.extra_compile_args"] = ["-w", "-O2", "-std=c++11"]
    if given.target == "cpp_standalone":
        set_device(given.target)
    else:
        prefs["codegen.target"] = given.target
    kept = {name: [] for name in POPULATIONS}
    for first in range(0, len(values), COPIES):
        if given.target == "cpp_standalone":
            device.reinit()
            device.activate()
        trains, said = simulate(values[first : first + COPIES], first, given.seed)
        for name, train in trains.items():
            kept[name].append(train)
        for number, row in enumerate(said, first):
r|            numbers = " ".join(f"{each:g}" for each in row)
f|            numbers = " ".join(f"{each:.0f}" for each in row)
            print(f"stimulus {number}: {numbers}  (output {row.argmax()})")
    if given.save is not None:
        whole = {f"{name}.spikes": np.concatenate(each, axis=1) for name, each in kept.items()}
        np.savez(given.save, **whole)


if __name__ == "__main__":
    main()
'''  # noqa: E501 (a mark and its line)
