"""Batches and slices: memory that is used again, and what one part does not do to another.

What is computed is compared in ``test_autograd`` and ``test_simulation``.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.examples import NEURONS, SKIP, apart, random_spikes, spiking_model
from tests.oracles import chain

from volr.engine.cpu import buffers, work
from volr.engine.cpu.buffers import (
    Batch,
    bytes_per_stimulus,
    empty_batch,
    neuron_steps,
    put_back,
    slice_size,
)
from volr.engine.cpu.connectors import in_tiles
from volr.engine.cpu.dynamics import lift_of
from volr.engine.cpu.passes import backwards, forwards
from volr.engine.cpu.tiles import tile_of, unpack
from volr.engine.encoding import Spikes
from volr.engine.schedule import Schedule, schedule_of
from volr.engine.surrogates import Surrogate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from volr.models.model import SpikingModel

neurons = pytest.mark.parametrize("kind", NEURONS)
DOUBLE = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def nothing_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_spare", {})


def arrays(batch: Batch) -> Iterator[NDArray[Any]]:
    for events in batch.events.values():
        yield from (events.index, events.begin)
    for memory in batch.memory.values():
        yield from (*memory.drives, memory.state, memory.total)
        if memory.membrane is not memory.drives[0]:
            yield memory.membrane


@neurons
@pytest.mark.parametrize("back", [False, True])
def test_every_weight_is_in_the_tiles_of_its_channel(kind: str, back: Any) -> None:
    model = spiking_model(kind, SKIP)
    schedule = schedule_of(model)
    weights = {n: v.astype(np.float32) for n, v in model.parameters.items() if v.ndim == 2}
    tiles = in_tiles(schedule, weights, back=back)
    # Nothing returns to an input.
    needed = [each for each in SKIP.projections if not (back and each.source in SKIP.inputs)]
    assert tiles.keys() == {f"{each.name}.weight" for each in needed}
    for name in tiles:
        matrix = weights[name]
        expected = matrix.T if back else matrix
        for sign, part in zip(schedule.layers[0].neuron.channels, tiles[name], strict=True):
            found = np.full(expected.shape, np.nan, np.float32)
            for column in range(0, len(found), tile_of(matrix.dtype)):
                unpack(part, tile_of(matrix.dtype), column, 0, len(found.T), found)
            kept = {0: expected, 1: expected.clip(min=0), -1: expected.clip(max=0)}[sign]
            np.testing.assert_array_equal(found, kept)


@neurons
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_takes_no_more_than_is_said_and_hardly_less(kind: str, dtype: type[Any]) -> None:
    schedule = schedule_of(spiking_model(kind, chain(500, 200, 300, 50)))
    batch = empty_batch(schedule, 20, np.dtype(dtype), 0.1)
    taken = sum(each.nbytes for each in arrays(batch))
    said = 20 * sum(bytes_per_stimulus(schedule, np.dtype(dtype)).values())
    # What is said includes what kernels take on the way, and the most blocks there can be.
    assert taken <= said <= 1.2 * taken


def test_slices_are_of_a_size_that_depends_on_the_model_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, large = (
        schedule_of(spiking_model("delta", network, steps=steps))
        for network, steps in ((chain(2, 3, 2), 4), (chain(900, 500, 10), 100))
    )
    assert neuron_steps(small) == 28
    assert neuron_steps(large) == 141_000
    sizes = slice_size(small), slice_size(large)
    assert sizes[0] > sizes[1] == buffers.SLICE
    monkeypatch.setattr(work, "cores", lambda: 5)
    assert (slice_size(small), slice_size(large)) == sizes


def test_memory_is_used_again_by_the_same_and_by_no_other() -> None:
    schedule, other = (schedule_of(spiking_model("exp", chain(5, n, 3))) for n in (4, 6))
    batch = empty_batch(schedule, 8, DOUBLE, 0.1)
    assert batch.stimuli == 8
    put_back(batch)
    for given in (
        (other, 8, DOUBLE, 0.1),
        (schedule, 9, DOUBLE, 0.1),
        (schedule, 8, np.dtype(np.float32), 0.1),
        (schedule, 8, DOUBLE, 0.01),
    ):
        assert empty_batch(*given) is not batch
    assert empty_batch(schedule, 8, DOUBLE, 0.2) is batch
    # It is taken now.
    assert empty_batch(schedule, 8, DOUBLE, 0.1) is not batch


def test_what_is_spared_is_bounded() -> None:
    schedule = schedule_of(spiking_model("exp", chain(5, 4, 3)))
    for stimuli in (*range(1, 40), 7, 7, 7, 7, 7, 7, 7, 7):
        put_back(empty_batch(schedule, stimuli, DOUBLE, 0.1))
    for batch in [empty_batch(schedule, 7, DOUBLE, 0.1) for _ in range(20)]:
        put_back(batch)
    assert len(buffers._spare) <= 4
    assert all(len(each) <= work.cores() for each in buffers._spare.values())


def test_no_two_threads_get_the_same_memory() -> None:
    schedule = schedule_of(spiking_model("exp", chain(5, 4, 3)))
    wrong: list[object] = []

    def take(own: int) -> None:
        try:
            for turn in range(400):
                batch = empty_batch(schedule, 1 + (turn * 3 + own) % 7, DOUBLE, 0.1)
                total = batch.memory["dense_1"].total
                total[:] = own
                time.sleep(0)  # let another one have a go
                if (total != own).any():
                    wrong.append(batch)
                put_back(batch)
        except RuntimeError as error:
            wrong.append(error)

    runners = [threading.Thread(target=take, args=(own,)) for own in range(5)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert wrong == []


def run(
    model: SpikingModel, spikes: NDArray[np.uint8], parts: list[tuple[int, int]]
) -> tuple[Schedule, Batch, Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]]:
    """A batch after some of its stimuli, its memory having been full of something else."""
    schedule, weights = schedule_of(model), dict(model.parameters)
    factor = lift_of(schedule.layers[0].neuron, schedule.dt)
    lifts = {
        each.name: factor * (each.neuron.i_offset + weights[each.bias]) for each in schedule.layers
    }
    batch = empty_batch(schedule, spikes.shape[1], DOUBLE, 0.2)
    for each in arrays(batch):
        each[:] = 77
    for first, last in parts:
        forwards(
            schedule,
            Spikes(spikes),
            in_tiles(schedule, weights),
            lifts,
            batch,
            first,
            last,
            differentiable=True,
        )
    return schedule, batch, weights, lifts


@neurons
def test_a_part_of_a_batch_is_what_it_is_in_the_whole(kind: str) -> None:
    model = spiking_model(kind, SKIP, tau_refrac=1.0, delay=2)
    spikes = random_spikes(schedule_of(model), 9)
    _, whole, _, _ = run(model, spikes, [(0, 9)])
    _, parts, _, _ = run(model, spikes, [(6, 9), (2, 3)])
    shown = [2, 6, 7, 8]
    left_out = [0, 1, 3, 4, 5]
    for name, memory in whole.memory.items():
        mine = parts.memory[name]
        pairs = [*zip(memory.drives, mine.drives, strict=True)]
        pairs += [(memory.membrane, mine.membrane), (memory.state, mine.state)]
        for full, some in (*pairs, (memory.total, mine.total)):
            full, some = full.reshape(9, -1), some.reshape(9, -1)
            np.testing.assert_array_equal(some[shown], full[shown])
            assert (some[left_out] == 77).all()


@neurons
def test_inputs_are_told_apart(kind: str) -> None:
    model = spiking_model(kind, SKIP)
    spikes = random_spikes(schedule_of(model), 5)
    schedule, batch, _, _ = run(model, spikes, [(0, 5)])
    for name, given in apart(schedule, spikes).items():
        events = batch.events[name]
        counts = np.bincount(
            np.concatenate(
                [
                    events.index[a:b]
                    for row in events.begin.reshape(-1, events.blocks + 1).astype(int)
                    for a, b in [(row[0], row[-1])]
                ]
            ),
            minlength=events.size,
        )
        np.testing.assert_array_equal(counts, given.sum(axis=(0, 1)))


@neurons
@pytest.mark.parametrize("size", [1, 7, 32])
def test_the_way_back_is_the_same_in_slices(
    kind: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = spiking_model(kind, SKIP, tau_refrac=1.0)
    rng = np.random.default_rng(0)
    spikes = random_spikes(schedule_of(model), 23)
    wanted = {p.name: rng.normal(size=(23, p.size)) for p in SKIP.layers}

    def derivatives() -> list[NDArray[Any]]:
        schedule, batch, weights, lifts = run(model, spikes, [(0, 23)])
        found = backwards(schedule, weights, lifts, batch, wanted, Surrogate(), schedule.steps)
        assert found.weights.keys() == {n for n, v in weights.items() if v.ndim == 2}
        return [*found.weights.values(), *found.lifts.values()]

    whole = derivatives()
    monkeypatch.setattr(buffers, "SLICE", size)
    monkeypatch.setattr(buffers, "_SLICE_VALUES", 0)
    monkeypatch.setattr(work, "ENOUGH", 0)
    for ours, theirs in zip(derivatives(), whole, strict=True):
        assert ours.any()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * abs(theirs).max())
