"""Each connector's synapses on their own, against the connector's formula and its entries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.matrices import floats
from tests.network.connectors.test_connectors import CASES, matrix_of, weights_of

from volr.engine.cpu.connectors import rules, synapses_of
from volr.engine.cpu.connectors.base import Sent, Span
from volr.engine.cpu.events import Events, by_neuron, empty_events, list_spikes, turn_round
from volr.engine.schedule import Term
from volr.network.connectors import AveragePool, Convolution, Pooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from volr.engine.cpu.connectors.base import Packed, Synapses
    from volr.network.connectors import Connector, Shape

STIMULI, STEPS, DELAY = 11, 9, 2
MORE: list[tuple[Connector, Shape, Shape]] = [
    # A stride above the window, so that some of the source is not read.
    (Convolution((2, 1), stride=(3, 2)), (2, 8, 5), (3, 3, 3)),
    # More channels than one vector, and a kernel as large as the source.
    (Convolution((4, 3)), (3, 4, 3), (19, 1, 1)),
    # One channel in each group.
    (Convolution((3, 2), pad=(1, 1), groups=5), (5, 3, 4), (5, 3, 5)),
    # Each neuron in one window of the pool.
    (Pooled((AveragePool((2, 3)),), Convolution((2, 1))), (2, 6, 6), (3, 2, 2)),
    # A window that is nowhere inside.
    (Convolution((5,), pad=(3,)), (9, 2), (17, 4)),
]
every_case = pytest.mark.parametrize(("connector", "source", "target"), [*CASES, *MORE], ids=str)


@pytest.fixture(params=[rules._CHUNK, 1], ids=["whole", "in chunks"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kernels that fit into the cache, and others whose channels are cut."""
    monkeypatch.setattr(rules, "_CHUNK", request.param)
    rules.geometry.cache_clear()
    yield
    rules.geometry.cache_clear()


def made(packed: Packed) -> NDArray[Any]:
    for part in packed.work:
        part()
    return packed.tiles


def setting(
    connector: Connector, source: Shape, target: Shape, kind: type[Any]
) -> tuple[Synapses, NDArray[Any], NDArray[Any], Events]:
    """Synapses and their weights, and spikes ``[stimulus, step, unit]``, also as lists."""
    weights = weights_of(connector, source, target).astype(kind)
    size = math.prod(source)
    spikes = np.random.default_rng(1).random((STIMULI, STEPS, size)) < 0.3
    events = empty_events(STIMULI, STEPS, size, 8)
    list_spikes(
        spikes.reshape(-1).view(np.uint8),
        *(0, STEPS * size, size, 0, STIMULI, STEPS, size, 8),
        events.index,
        events.begin,
    )
    return synapses_of(Term("a", "w", (source, target), connector), (0,)), weights, spikes, events


def close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    error = (1e-5 if found.dtype == np.float32 else 1e-13) * scale
    np.testing.assert_allclose(found, expected, rtol=0, atol=error)


@every_case
@floats
@pytest.mark.usefixtures("chunks")
def test_spikes_bring_what_the_formula_says(
    connector: Connector, source: Shape, target: Shape, floats: type[Any]
) -> None:
    synapses, weights, spikes, events = setting(connector, source, target, floats)
    drive = np.full((STIMULI, STEPS, math.prod(target)), 7, floats)
    expected = np.zeros(drive.shape)
    for sign in (1, -1):
        tiles = made(synapses.pack(weights, sign, back=False))
        for first, last in ((0, 4), (4, STIMULI)):
            span = Span(first, last, STEPS, DELAY)
            synapses.deliver(events, tiles, drive.reshape(-1), span, add=sign < 0)
    sent = spikes[:, : STEPS - DELAY].reshape(-1, math.prod(source)).astype(float)
    brought = connector.apply(weights.astype(float), sent, source, target)
    expected[:, DELAY:] = brought.reshape(STIMULI, STEPS - DELAY, -1)
    close(drive, expected)


@every_case
@floats
@pytest.mark.parametrize("window", [STEPS, 4])
@pytest.mark.usefixtures("chunks")
def test_errors_return_by_the_transpose(
    connector: Connector, source: Shape, target: Shape, floats: type[Any], window: int
) -> None:
    synapses, weights, _, _ = setting(connector, source, target, floats)
    errors = np.random.default_rng(2).normal(size=(STIMULI, STEPS, math.prod(target)))
    errors[np.random.default_rng(3).random(errors.shape) < 0.5] = 0
    first, last = 2, STIMULI
    returned = np.full((last - first, STEPS, math.prod(source)), 7, floats)
    for sign in (1, -1):
        tiles = made(synapses.pack(weights, sign, back=True))
        synapses.send_back(
            errors.astype(floats).reshape(-1),
            tiles,
            returned.reshape(-1),
            Span(first, last, STEPS, DELAY),
            window,
            add=sign < 0,
        )
    back = connector.transposed(
        weights.astype(float), errors.reshape(-1, errors.shape[2]), source, target
    ).reshape(STIMULI, STEPS, -1)[first:]
    expected = np.zeros(returned.shape)
    for step in range(STEPS - DELAY):
        if step // window == (step + DELAY) // window:
            expected[:, step] = back[:, step + DELAY]
    close(returned, expected)


@every_case
@floats
@pytest.mark.usefixtures("chunks")
def test_a_weight_is_owed_what_its_synapses_are(
    connector: Connector, source: Shape, target: Shape, floats: type[Any]
) -> None:
    synapses, weights, spikes, events = setting(connector, source, target, floats)
    errors = np.random.default_rng(2).normal(size=(STIMULI, STEPS, math.prod(target)))
    lists = by_neuron(events, STIMULI, STEPS)
    turn_round(
        *(events.index, events.begin, events.blocks, 0, lists.blocks, lists.block),
        *(STIMULI * STEPS, STEPS, DELAY, events.size, lists.index, lists.begin),
    )
    owed = synapses.owed(
        Sent(events, lists), errors.astype(floats).reshape(-1), Span(0, STIMULI, STEPS, DELAY)
    )
    for part in owed.work:
        part()
    met = np.einsum("bti,btj->ji", spikes[:, : STEPS - DELAY].astype(float), errors[:, DELAY:])
    expected = np.zeros(weights.shape)
    for some in connector.entries(source, target):
        np.add.at(expected.reshape(-1), some.index, some.factor * met[some.post, some.pre])
    close(synapses.gradient([owed.total()], weights), expected)


@every_case
@pytest.mark.usefixtures("chunks")
def test_tiles_say_what_they_hold(connector: Connector, source: Shape, target: Shape) -> None:
    synapses, weights, _, _ = setting(connector, source, target, np.float64)
    held = synapses.matrix(made(synapses.pack(weights, 0, back=False)))
    close(held, matrix_of(connector, weights, source, target))


def test_a_kernel_is_not_expanded() -> None:
    # 200 million synapses.
    connector, source, target = Convolution((5, 3), pad=(2, 1)), (16, 80, 70), (150, 80, 70)
    assert connector.misfit(source, target) is None
    for back in (False, True):
        found = rules.geometry(connector, source, target, back=back)
        tables = [each for each in found.rule if isinstance(each, np.ndarray)]
        numbers = found.index.size + sum(each.size for each in tables)
        assert numbers < 8 * (math.prod(source) + math.prod(target))
    rules.geometry.cache_clear()
