"""Operations on values against NumPy, on random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.affine import linear, maps, values
from volr.affine.building import Builder
from volr.affine.forms import Form, SizeError
from volr.affine.terms import Room, Scaled
from volr.affine.values import InexpressibleError, Value
from volr.network.connectors import OneToOne, Pooled

if TYPE_CHECKING:
    from volr.checks.arrays import Floats

SHAPE = (3, 4, 5)


def numbers(value: Value, sources: dict[str, Floats]) -> Floats:
    """The numbers of a value for one stimulus, by the meaning of its terms."""
    flat = np.concatenate([_form(part, sources).ravel() for part in value.parts])
    return (flat if value.order is None else flat[value.order]).reshape(value.shape)


def _form(form: Form, sources: dict[str, Floats]) -> Floats:
    total = form.offset()
    for term in form.terms:
        x = sources[term.source].reshape(1, -1)
        if isinstance(term, Scaled):
            connector, weights = OneToOne(), np.ones(1)
        else:
            connector, weights = term.connector, term.weights
        made = Pooled(term.pools, connector) if term.pools else connector
        found = made.apply(weights, x, term.of, term.given)[0]
        total = total + (found * term.scale if isinstance(term, Scaled) else found)
    return total


@pytest.fixture
def drawn() -> tuple[Builder, dict[str, Floats], Value]:
    """A value with two parts and a shift, of two populations."""
    rng, builder = np.random.default_rng(0), Builder()
    x = rng.random(SHAPE)
    first = builder.input(SHAPE)
    kernel = rng.normal(size=(2, 3, 3, 3))
    second = builder.activated(
        maps.convolved(
            first,
            kernel,
            None,
            builder.room,
            stride=(1, 1),
            pads=((1, 1),) * 2,
            dilation=(1, 1),
            groups=1,
        ),
        "relu",
        "hidden",
    )
    sources = {"input": x, "hidden": rng.random((2, 4, 5))}
    both = values.side_by_side([first, linear.shifted(second, np.asarray(0.5))], 0)
    return builder, sources, both


def test_axes_in_another_order(drawn: tuple[Builder, dict[str, Floats], Value]) -> None:
    builder, sources, value = drawn
    room, rng = builder.room, np.random.default_rng(1)
    plain = numbers(value, sources)
    turned = values.permuted(value, (2, 0, 1))
    moved = plain.transpose(2, 0, 1)
    np.testing.assert_allclose(numbers(turned, sources), moved)
    np.testing.assert_allclose(
        numbers(values.permuted(turned, (1, 2, 0)), sources), plain, rtol=0, atol=0
    )
    assert values.permuted(turned, (1, 2, 0)).order is None
    flat = values.reshaped(turned, (100,))
    np.testing.assert_allclose(numbers(flat, sources), moved.ravel())
    weight, bias = rng.normal(size=(7, 100)), rng.normal(size=7)
    found = linear.weighted(flat, weight, bias, room)
    np.testing.assert_allclose(numbers(found, sources), weight @ moved.ravel() + bias)
    factors = rng.normal(size=(1, 5, 4))
    np.testing.assert_allclose(
        numbers(linear.scaled(turned, factors, room), sources), moved * factors
    )
    np.testing.assert_allclose(numbers(linear.shifted(turned, factors), sources), moved + factors)
    placed = values.in_order(turned, room)
    assert placed.order is None
    np.testing.assert_allclose(numbers(placed, sources), moved)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_side_by_side(drawn: tuple[Builder, dict[str, Floats], Value], axis: int) -> None:
    builder, sources, value = drawn
    turned = values.permuted(value, (0, 2, 1))
    other = values.reshaped(value, turned.shape)
    found = values.side_by_side([turned, other], axis)
    plain = numbers(value, sources)
    wanted = np.concatenate([plain.transpose(0, 2, 1), plain.reshape(5, 5, 4)], axis)
    np.testing.assert_allclose(numbers(found, sources), wanted)
    joined = values.joined(values.in_order(found, builder.room), builder.room)
    assert len(joined.parts) == 1
    np.testing.assert_allclose(numbers(joined, sources), wanted)


def test_parts_are_joined_and_added_up(drawn: tuple[Builder, dict[str, Floats], Value]) -> None:
    builder, sources, value = drawn
    room, plain = builder.room, numbers(value, sources)
    joined = values.joined(value, room)
    assert len(joined.parts) == 1
    np.testing.assert_allclose(numbers(joined, sources), plain)
    pooled = maps.averaged(value, (2, 2), (1, 2), ((0, 0), (0, 0)), room)
    means = plain[:, :, :4].reshape(5, 4, 2, 2).mean(3)
    means = (means[:, :-1] + means[:, 1:]) / 2
    np.testing.assert_allclose(numbers(pooled, sources), means)
    np.testing.assert_allclose(numbers(values.joined(pooled, room), sources), means)
    summed = linear.added([value, joined, values.permuted(value, (0, 1, 2))], room)
    np.testing.assert_allclose(numbers(summed, sources), 3 * plain)
    with pytest.raises(SizeError, match=r"it adds \[5, 4, 5\] and \[5, 3, 2\]"):
        linear.added([value, pooled], room)


@pytest.mark.parametrize("groups", [1, 5])
@pytest.mark.parametrize("pads", [((0, 0), (0, 0)), ((1, 1), (2, 2)), ((0, 2), (1, 0))])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_kernels(
    drawn: tuple[Builder, dict[str, Floats], Value],
    groups: int,
    pads: values.Pads,
    dilation: tuple[int, int],
) -> None:
    builder, sources, value = drawn
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(5, 5 // groups, 2, 3))

    def convolved(given: Value, pads: values.Pads) -> Value:
        bias, room = np.arange(5, dtype=np.float64), builder.room
        slides = {"stride": (1, 2), "dilation": dilation}
        return maps.convolved(given, weight, bias, room, pads=pads, groups=groups, **slides)

    found = convolved(value, pads)
    x = np.pad(numbers(value, sources), ((0, 0), *pads))
    made = numbers(found, sources)
    for (channel, row, column), each in np.ndenumerate(made):
        total = float(channel)
        inside = range(5) if groups == 1 else [channel]
        for place, k in enumerate(inside):
            for i in range(2):
                for j in range(3):
                    at = (k, row + dilation[0] * i, 2 * column + dilation[1] * j)
                    total += weight[channel, place, i, j] * x[at]
        assert each == pytest.approx(total, abs=1e-12)
    padded = maps.padded(value, pads, builder.room)
    np.testing.assert_allclose(numbers(padded, sources), x, atol=1e-12)
    again = convolved(padded, ((0, 0), (0, 0)))
    np.testing.assert_allclose(numbers(again, sources), made, atol=1e-12)


def test_what_does_not_fit() -> None:
    room = Room()
    value = Builder().input((2, 3))
    for act, said in (
        (lambda: values.reshaped(value, (7,)), r"it makes \[7\] of \[2, 3\]"),
        (lambda: linear.weighted(value, np.ones((2, 3)), None, room), "each of 2 rows"),
        (lambda: maps.averaged(value, (1, 1), (1, 1), ((0, 0),) * 2, room), "channels and 2"),
    ):
        with pytest.raises(SizeError, match=said):
            act()


def test_a_maximum_of_sums_waits_for_its_activation() -> None:
    rng, builder = np.random.default_rng(3), Builder()
    value = builder.input((2, 4, 6))
    sums = maps.convolved(
        value,
        rng.normal(size=(3, 2, 1, 1)),
        None,
        builder.room,
        stride=(1, 1),
        pads=((0, 0),) * 2,
        dilation=(1, 1),
        groups=1,
    )
    largest = builder.maximum(sums, (2, 3), (2, 3), ((0, 0),) * 2, "pool")
    assert (largest.shape, largest.largest is None) == ((3, 2, 2), False)
    doubled = linear.scaled(largest, np.full((3, 1, 1), 2.0), builder.room)
    shifted = linear.shifted(doubled, -0.1 * np.ones(1))
    with pytest.raises(InexpressibleError, match="that are not above 0"):
        linear.scaled(largest, -np.ones(1), builder.room)
    with pytest.raises(InexpressibleError, match="other numbers at other places"):
        linear.scaled(largest, rng.random((3, 2, 2)), builder.room)
    with pytest.raises(InexpressibleError, match="the largest of sums that are not activated"):
        linear.weighted(
            values.reshaped(largest, largest.shape), np.ones((1, 2)), None, builder.room
        )
    done = builder.activated(shifted, "relu", "relu")
    model, notes = builder.model(values.reshaped(done, (12,)))
    assert not notes
    assert [each.merge for each in model.network.layers] == ["sum", "max", "sum"]
