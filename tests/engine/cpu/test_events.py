"""Lists of spikes against ``np.nonzero``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from volr.engine.cpu.events import (
    Events,
    block_of,
    by_neuron,
    empty_events,
    list_spikes,
    list_trains,
    turn_round,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCKS = (8, 96, 192, 384)


@dataclass(frozen=True)
class Case:
    """Spikes of a population of ``size``, ``[stimulus, step, unit]``, and the stimuli to list."""

    spikes: NDArray[np.bool_]
    block: int
    before: int
    after: int
    first: int
    last: int

    @property
    def noise(self) -> np.random.Generator:
        return np.random.default_rng(self.spikes.size)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """With other populations ``before`` and ``after``."""
    size, steps, stimuli = (draw(st.integers(1, most)) for most in (300, 5, 4))
    density = draw(st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0]))
    spikes = np.random.default_rng(draw(st.integers(0, 999))).random((stimuli, steps, size))
    first = draw(st.integers(0, stimuli))
    return Case(
        spikes < density,
        draw(st.sampled_from(BLOCKS)),
        draw(st.integers(0, 20)),
        draw(st.integers(0, 20)),
        first,
        draw(st.integers(first, stimuli)),
    )


def unwritten(stimuli: int, steps: int, size: int, block: int) -> Events:
    events = empty_events(stimuli, steps, size, block)
    events.index[:] = 55555
    return events


def check(events: Events, spikes: NDArray[np.bool_], first: int, last: int) -> None:
    """Every block of the listed stimuli has its spikes, and those of the others are untouched."""
    stimuli, steps, size = spikes.shape
    assert events.blocks == len(range(0, size, events.block))
    begin = events.begin.reshape(stimuli, steps, events.blocks + 1).astype(np.int64)
    room = events.index.reshape(stimuli, steps * size + 8)
    for b in range(first, last):
        ends = begin[b].reshape(-1)
        assert ends[0] == b * room.shape[1]
        assert (np.diff(ends) >= 0).all()
        assert (begin[b, 1:, 0] == begin[b, :-1, -1]).all()
        for t in range(steps):
            for q, start in enumerate(range(0, size, events.block)):
                found = events.index[begin[b, t, q] : begin[b, t, q + 1]]
                (expected,) = np.nonzero(spikes[b, t, start : start + events.block])
                np.testing.assert_array_equal(found, start + expected)
    for b in {*range(stimuli)} - {*range(first, last)}:
        assert (room[b] == 55555).all()


@given(cases())
def test_spikes_are_listed_from_any_layout(case: Case) -> None:
    stimuli, steps, size = case.spikes.shape
    wide = case.before + size + case.after
    # Bit 1 says something else, which is not to be read; nor are the populations beside this one.
    state = case.noise.integers(0, 4, (stimuli, steps, wide)).astype(np.uint8)
    here = slice(case.before, case.before + size)
    state[:, :, here] = state[:, :, here] & 2 | case.spikes
    layouts = (
        (state, steps * wide, wide),
        (np.ascontiguousarray(state.swapaxes(0, 1)), wide, stimuli * wide),
    )
    for laid_out, stimulus_stride, step_stride in layouts:
        events = unwritten(stimuli, steps, size, case.block)
        # One by one and from the last, since what is listed must not spill into the next one.
        for b in reversed(range(case.first, case.last)):
            list_spikes(
                laid_out.reshape(-1),
                case.before,
                stimulus_stride,
                step_stride,
                b,
                b + 1,
                steps,
                size,
                case.block,
                events.index,
                events.begin,
            )
        check(events, case.spikes, case.first, case.last)


@given(cases(), st.integers(1, 5))
def test_trains_are_listed_for_those_that_follow_them(case: Case, kinds: int) -> None:
    stimuli, steps, size = case.spikes.shape
    wide = case.before + size + case.after
    trains = np.ascontiguousarray(case.spikes[0, :, :kinds])
    levels = case.noise.integers(0, trains.shape[1], (stimuli, wide)).astype(np.int32)
    events = unwritten(stimuli, steps, size, case.block)
    for b in reversed(range(case.first, case.last)):
        list_trains(
            levels.reshape(-1),
            trains.reshape(-1).view(np.uint8),
            np.asarray(trains.any(axis=0)),
            b,
            b + 1,
            steps,
            size,
            case.before,
            wide,
            case.block,
            events.index,
            events.begin,
        )
    followed = trains[:, levels[:, case.before : case.before + size]].swapaxes(0, 1)
    check(events, followed, case.first, case.last)


@pytest.mark.parametrize("size", [2**16, 2**16 + 1, 70_003])
def test_large_populations_have_large_indices(size: int) -> None:
    spikes = np.random.default_rng(0).random((2, 2, size)) < 0.3
    spikes[:, :, -1] = True
    levels = spikes[:, 0].astype(np.int32)
    listed, followed = (unwritten(2, 2, size, 384) for _ in range(2))
    assert listed.index.dtype == (np.uint16 if size == 2**16 else np.uint32)
    ends = (2, size, 384)
    list_spikes(
        spikes.reshape(-1).view(np.uint8),
        0,
        2 * size,
        size,
        0,
        2,
        *ends,
        listed.index,
        listed.begin,
    )
    check(listed, spikes, 0, 2)
    list_trains(
        levels.reshape(-1),
        np.array([0, 1, 0, 0], np.uint8),
        np.array([False, True]),
        *(0, 2, 2, size, 0, size, 384),
        followed.index,
        followed.begin,
    )
    spikes[:, 1] = False
    check(followed, spikes, 0, 2)


@pytest.mark.parametrize("size", [1, 7, 8, 100, 785, 5000])
def test_the_more_neurons_spike_the_smaller_are_the_blocks(size: int) -> None:
    blocks = [block_of(size, density) for density in (1.0, 0.2, 0.1, 0.05, 0.02, 0.0)]
    assert blocks == sorted(blocks)
    # Eight neurons are listed at a time.
    assert all(block % 8 == 0 and 8 <= block < size + 8 for block in blocks)


@pytest.mark.parametrize("size", [1, 13, 70])
@pytest.mark.parametrize("delay", [0, 1, 89, 90, 95])
@pytest.mark.parametrize("density", [0.0, 0.02, 0.3])
def test_spikes_by_neuron_are_those_that_still_arrive(
    size: int, delay: int, density: float
) -> None:
    # Of few spikes in one block, of many in several.
    stimuli, steps = 7, 90
    spikes = np.random.default_rng(size).random((stimuli, steps, size)) < density
    events = empty_events(stimuli, steps, size, 8)
    list_spikes(
        spikes.reshape(-1).view(np.uint8),
        *(0, steps * size, size, 0, stimuli, steps, size, 8),
        events.index,
        events.begin,
    )
    lists = by_neuron(events, stimuli, steps)
    all_steps = stimuli * steps
    blocks = -(-all_steps // lists.block)
    lists.index[:] = 55555
    # In two parts, the later one first.
    for first, last in ((blocks // 2, blocks), (0, blocks // 2)):
        turn_round(
            *(events.index, events.begin, events.blocks, first, last, lists.block),
            *(all_steps, steps, delay, size, lists.index, lists.begin),
        )
    spikes[:, max(0, steps - delay) :] = False
    begin = lists.begin.reshape(blocks, size + 1)
    for block in range(blocks):
        part = spikes.reshape(all_steps, size)[block * lists.block :][: lists.block]
        for neuron in range(size):
            found = lists.index[int(begin[block, neuron]) : int(begin[block, neuron + 1])]
            np.testing.assert_array_equal(found, np.flatnonzero(part[:, neuron]))
