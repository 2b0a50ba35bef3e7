"""What spikes deliver, what errors return and what weights are owed, against sums in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.matrices import SHAPES, floats, in_tiles, random_weights

from volr.engine.cpu.events import (
    ByNeuron,
    Events,
    by_neuron,
    empty_events,
    list_spikes,
    turn_round,
)
from volr.engine.cpu.synapses import TOGETHER, deliver, gather, return_errors
from volr.engine.cpu.tiles import empty_tiles, tile_of, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A delay of no step, of some, and of as many as there are and more.
DELAYS = (0, 1, 3, 20, 25)


@dataclass(frozen=True)
class Case:
    """Spikes ``[stimulus, step, unit]`` of some neurons, and as lists."""

    spikes: NDArray[np.bool_]
    events: Events


def case(stimuli: int, steps: int, size: int, block: int = 96, density: float = 0.3) -> Case:
    spikes = np.random.default_rng([stimuli, size]).random((stimuli, steps, size)) < density
    events = empty_events(stimuli, steps, size, block)
    list_spikes(
        spikes.reshape(-1).view(np.uint8),
        *(0, steps * size, size, 0, stimuli, steps, size, block),
        events.index,
        events.begin,
    )
    return Case(spikes, events)


def turned(given: Case, delay: int) -> ByNeuron:
    """The same spikes by neuron."""
    stimuli, steps, size = given.spikes.shape
    events = given.events
    lists = by_neuron(events, stimuli, steps)
    turn_round(
        *(events.index, events.begin, events.blocks, 0, -(-stimuli * steps // lists.block)),
        *(lists.block, stimuli * steps, steps, delay, size, lists.index, lists.begin),
    )
    return lists


def later(values: NDArray[Any], delay: int) -> NDArray[Any]:
    """``[stimulus, step, unit]``, so many steps later."""
    moved = np.zeros(values.shape)
    moved[:, delay:] = values[:, : max(values.shape[1] - delay, 0)]
    return moved


def earlier(values: NDArray[Any], delay: int, window: int) -> NDArray[Any]:
    """``[stimulus, step, unit]``, so many steps earlier, but not from a window to another."""
    moved = np.zeros(values.shape)
    for step in range(values.shape[1]):
        source = step + delay
        if source < values.shape[1] and source // window == step // window:
            moved[:, step] = values[:, source]
    return moved


def close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    error = 1e-12 if found.dtype == np.float64 else 2e-5
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=error * scale)


@floats
@pytest.mark.parametrize(("post", "pre"), SHAPES)
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("block", [96, 384])
def test_spikes_deliver_their_weights_and_terms_add_up(
    post: int, pre: int, delay: int, block: int, floats: type[Any]
) -> None:
    stimuli, steps = 2 * (TOGETHER // 20) + 3, 20
    expected = np.zeros((stimuli, steps, post))
    drive = np.full(stimuli * steps * post, np.nan, floats)
    for term, size in enumerate((pre, 11)):
        weights = random_weights(post, size, floats)
        given = case(stimuli, steps, size, block)
        expected += later(given.spikes @ weights.T.astype(np.float64), delay)
        for first, last in ((5, stimuli), (0, 5)):
            deliver(
                given.events.index,
                given.events.begin,
                block,
                in_tiles(weights),
                drive,
                *(first, last, steps, delay, size, post, term > 0),
            )
    close(drive.reshape(expected.shape), expected)


@floats
def test_nothing_is_delivered_to_other_stimuli_or_beyond_the_last(floats: type[Any]) -> None:
    steps, post, pre = 6, 70, 40
    weights, given = random_weights(post, pre, floats), case(4, steps, pre)
    room = np.full(4 * steps * post + 300, np.nan, floats)
    drive = room[: 4 * steps * post]
    deliver(
        given.events.index,
        given.events.begin,
        given.events.block,
        in_tiles(weights),
        drive,
        *(1, 3, steps, 1, pre, post, False),
    )
    written = ~np.isnan(room)
    assert written[steps * post : 3 * steps * post].all()
    assert written.sum() == 2 * steps * post


@floats
def test_stimuli_of_many_steps_go_one_at_a_time(floats: type[Any]) -> None:
    steps, post, pre = TOGETHER + 50, 66, 200
    weights, given = random_weights(post, pre, floats), case(3, steps, pre, density=0.05)
    listed = (given.events.index, given.events.begin, given.events.block)
    drive = np.full(3 * steps * post, np.nan, floats)
    deliver(*listed, in_tiles(weights), drive, *(0, 3, steps, 2, pre, post, False))
    expected = later(given.spikes @ weights.T.astype(np.float64), 2)
    close(drive.reshape(expected.shape), expected)

    errors = np.random.default_rng(0).normal(size=(3, steps, post)).astype(floats)
    tiles = empty_tiles(pre, post, weights.dtype)
    back = turned(given, 2)
    lists = (back.index, back.begin, back.block)
    for column in range(0, post, tile_of(weights.dtype)):
        gather(*lists, errors.reshape(-1), tiles, *(column, 0, pre, 2, pre, post))
    sent = later(given.spikes, 2)
    close(tiles, in_tiles(np.einsum("btj,bti->ji", errors, sent).astype(floats)))


@floats
@pytest.mark.parametrize(("post", "pre"), SHAPES)
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("window", [1, 4, 20])
def test_errors_return_through_the_weights_within_their_window(
    post: int, pre: int, delay: int, window: int, floats: type[Any]
) -> None:
    # Back, the rows of a tile are the neurons that the projection leads to.
    steps, offset = 20, 2
    rng = np.random.default_rng(0)
    expected = np.zeros((3, steps, pre))
    returned = np.full(3 * steps * pre, np.nan, floats)
    for term, size in enumerate((post, 9)):
        weights = random_weights(size, pre, floats)
        errors = rng.normal(size=(6, steps, size)).astype(floats)
        errors[rng.random(errors.shape) < 0.5] = 0
        back = earlier(errors, delay, window) @ weights.astype(np.float64)
        expected += back[offset : offset + 3]
        for first, last in ((4, 5), (2, 4)):
            return_errors(
                errors.reshape(-1),
                in_tiles(np.ascontiguousarray(weights.T)),
                returned,
                *(first, last, offset, steps, delay, window, size, pre, term > 0),
            )
    close(returned.reshape(expected.shape), expected)


@floats
@pytest.mark.parametrize(("post", "pre"), SHAPES)
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("density", [0.02, 0.3])
def test_a_weight_is_owed_the_errors_that_its_spikes_met(
    post: int, pre: int, delay: int, density: float, floats: type[Any]
) -> None:
    stimuli, steps = TOGETHER // 20 + 3, 20
    given = case(stimuli, steps, pre, density=density)
    lists = turned(given, delay)
    errors = np.random.default_rng(0).normal(size=(stimuli, steps, post)).astype(floats)
    found = np.full((post, pre), np.nan, floats)
    tiles = empty_tiles(pre, post, found.dtype)
    tiles[:] = np.nan
    tile = tile_of(found.dtype)
    for column in range(0, post, tile):
        # Neurons may be shared out, and then each part writes what is its own.
        for first in range(0, pre, 67):
            last = min(first + 67, pre)
            gather(
                *(lists.index, lists.begin, lists.block),
                errors.reshape(-1),
                tiles,
                *(column, first, last, delay, pre, post),
            )
            unpack(tiles, tile, column, first, last, found)
    close(found, np.einsum("btj,bti->ji", errors.astype(np.float64), later(given.spikes, delay)))
