"""What a back end holds against what the model says: every difference, and what it looks like."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from volr.backends.readback import Cells, Ends, Readback
    from volr.models.arrays import Booleans, Floats

Kind: TypeAlias = Literal["topology", "parameters"]

# Differences of so many units of the precision are rounding.
_ROUNDING = 4.0
# Of a block's largest value: what is left where numbers that cancel were added and taken off again.
_CANCELLED = 1e-12


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the model says.

    ``where`` is a population or a projection, ``message`` what was found there and what was
    expected, ``cause`` what it looks like, where it looks like something.
    """

    kind: Kind
    where: str
    message: str
    cause: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.cause})" if self.cause else "")


def compare(expected: Readback, found: Readback) -> tuple[Difference, ...]:
    """Every difference; none where the back end holds the model, within its precision."""
    return (*_topology(expected, found), *_parameters(expected, found))


def arrow(ends: Ends) -> str:
    return f"{ends[0]}->{ends[1]}"


def _topology(expected: Readback, found: Readback) -> Iterator[Difference]:
    exchanged = _exchanged_sizes(expected.populations, found.populations)
    for name, size in expected.populations.items():
        if name not in found.populations:
            yield Difference("topology", name, "the population is missing")
        elif found.populations[name] != size:
            message = f"{found.populations[name]} neurons, expected {size}"
            yield Difference("topology", name, message, exchanged.get(name))
    for name in found.populations:
        if name not in expected.populations:
            yield Difference("topology", name, "there is no such population in the model")
    for side, has, wanted in (
        ("inputs", found.inputs, expected.inputs),
        ("outputs", found.outputs, expected.outputs),
    ):
        if has != wanted:
            message = f"they are {', '.join(has)}, expected {', '.join(wanted)}"
            yield Difference("topology", side, message)
    for ends, weights in expected.weights.items():
        if ends not in found.weights:
            cause = "it leads the other way" if ends[::-1] in found.weights else None
            yield Difference("topology", arrow(ends), "the projection is missing", cause)
            continue
        has = found.weights[ends]
        if has.shape != weights.shape:
            cause = "the block is transposed" if has.shape == weights.shape[::-1] else None
            message = f"a block of {list(has.shape)}, expected {list(weights.shape)}"
            yield Difference("topology", arrow(ends), message, cause)
        elif missing := int(np.isnan(has).sum()):
            message = f"{missing} of {has.size} synapses are missing"
            yield Difference("topology", arrow(ends), message)
    for ends in found.weights:
        if ends not in expected.weights:
            message = "there is no such projection in the model"
            yield Difference("topology", arrow(ends), message)


def _exchanged_sizes(expected: Mapping[str, int], found: Mapping[str, int]) -> dict[str, str]:
    wrong = [name for name in expected if found.get(name, expected[name]) != expected[name]]
    return {
        name: f"{first} and {second} are exchanged"
        for first, second in itertools.combinations(wrong, 2)
        if (found[first], found[second]) == (expected[second], expected[first])
        for name in (first, second)
    }


def _parameters(expected: Readback, found: Readback) -> Iterator[Difference]:
    precision = found.precision
    for ends, weights in expected.weights.items():
        has = found.weights.get(ends)
        if has is None or has.shape != weights.shape:
            continue
        same = close(weights, has, precision) | np.isnan(has)
        if not same.all():
            cause = _cause_of(ends, has, expected, precision)
            yield Difference("parameters", arrow(ends), _worst("weight", weights, has, same), cause)
    for name, bias in expected.biases.items():
        has = found.biases.get(name)
        if name not in found.populations:
            continue
        if has is None or has.shape != bias.shape:
            shape = "none" if has is None else f"{list(has.shape)}"
            message = f"biases of the shape {shape}, expected {list(bias.shape)}"
            yield Difference("parameters", name, message)
        elif not (same := close(bias, has, precision)).all():
            message = _worst("bias", bias, has, same)
            yield Difference("parameters", name, message, _factor_or_sign(bias, has, precision))
    for name, activation in expected.activations.items():
        has = found.activations.get(name)
        if has != activation and name in found.populations:
            message = f"the activation {has or 'none'}, expected {activation}"
            yield Difference("parameters", name, message)
    yield from _times(expected, found)
    for name, cells in expected.cells.items():
        if name in found.cells:
            yield from _cells(name, cells, found.cells[name], precision)
        elif name in found.populations and name not in expected.inputs:
            yield Difference("parameters", name, "it has no neurons")


def _times(expected: Readback, found: Readback) -> Iterator[Difference]:
    if None not in (found.dt, expected.dt) and found.dt != expected.dt:
        message = f"dt is {found.dt:g} ms, expected {expected.dt:g} ms"
        yield Difference("parameters", "time step", message)
    for ends in found.weights:
        if found.delays and ends in expected.delays and ends not in found.delays:
            yield Difference("parameters", arrow(ends), "it has no delay")
    for ends, delay in found.delays.items():
        wanted = expected.delays.get(ends)
        if wanted is None or math.isclose(delay, wanted, rel_tol=1e-9):
            continue
        cause = None
        if expected.dt and not math.isnan(delay):
            steps = (delay - wanted) / expected.dt
            less = "more" if steps > 0 else "less"
            cause = f"{abs(steps):.3g} step{'s' if abs(steps) != 1 else ''} {less}"
        said = "delays that differ" if math.isnan(delay) else f"the delay {delay:g} ms"
        yield Difference("parameters", arrow(ends), f"{said}, expected {wanted:g} ms", cause)


def _cells(name: str, expected: Cells, found: Cells, precision: float) -> Iterator[Difference]:
    if found.kind != expected.kind:
        message = f"neurons of the model {found.kind}, expected {expected.kind}"
        yield Difference("parameters", name, message)
    if found.reset != expected.reset:
        message = f"the reset {found.reset!r}, expected {expected.reset!r}"
        yield Difference("parameters", name, message, "wrong reset")
    for key, wanted in expected.numbers.items():
        if key not in found.numbers:
            continue
        has = found.numbers[key]
        if has != wanted and not math.isclose(has, wanted, rel_tol=max(precision, 1e-9)):
            said = "differs between the neurons" if math.isnan(has) else f"is {has:g}"
            cause = "wrong reset" if key == "v_reset" else None
            yield Difference("parameters", name, f"{key} {said}, expected {wanted:g}", cause)


def close(expected: Floats, found: Floats, precision: float) -> Booleans:
    """Which values are equal but for rounding, each within its own, in the shape of both."""
    size = np.abs(expected)
    rounding = np.maximum(precision * size, _CANCELLED * size.max(initial=0.0))
    return np.abs(found - expected) <= _ROUNDING * rounding


def _worst(what: str, expected: Floats, found: Floats, same: Booleans) -> str:
    off = np.where(same, 0.0, np.abs(found - expected))
    index = np.unravel_index(int(off.argmax()), off.shape)
    place = ", ".join(str(int(each)) for each in index)
    return (
        f"{int((~same).sum())} of {same.size} {what}{'s' if what == 'weight' else 'es'} differ; "
        f"[{place}] is {found[index]:.6g}, expected {expected[index]:.6g}"
    )


def _cause_of(ends: Ends, found: Floats, expected: Readback, precision: float) -> str | None:
    """What has become of a block: transposed, of other signs or units, or another one's."""
    weights = expected.weights[ends]

    def same(other: Floats) -> bool:
        return other.shape == found.shape and bool(close(other, found, precision).all())

    if weights.shape[0] == weights.shape[1] and same(weights.T):
        return "the block is transposed"
    if same(weights.ravel(order="F").reshape(weights.shape)) or same(
        weights.ravel().reshape(weights.shape[::-1]).T
    ):
        return "the block is transposed, in its memory order"
    if cause := _factor_or_sign(weights, found, precision):
        return cause
    for others, block in expected.weights.items():
        if others != ends and same(block):
            kind, pair = ("targets", 1) if others[0] == ends[0] else ("sources", 0)
            if others[1 - pair] == ends[1 - pair]:
                return f"the {kind} {ends[pair]} and {others[pair]} are exchanged"
            return f"these are the weights of {arrow(others)}"
    return None


def _factor_or_sign(expected: Floats, found: Floats, precision: float) -> str | None:
    def same(other: Floats) -> bool:
        return bool(close(other, found, precision).all())

    if not expected.any():
        return None
    signs = {
        "all signs are flipped": -expected,
        "all are missing": np.zeros_like(expected),
        "what is negative has become positive": np.abs(expected),
        "what is negative is missing": np.maximum(expected, 0.0),
        "what is positive is missing": np.minimum(expected, 0.0),
    }
    for said, other in signs.items():
        if same(other):
            return said
    flipped = close(np.abs(expected), np.abs(found), precision)
    if flipped.all():
        number = int((~close(expected, found, precision)).sum())
        return f"{number} sign{'s are' if number != 1 else ' is'} flipped"
    peak = np.unravel_index(int(np.abs(expected).argmax()), expected.shape)
    factor = float(found[peak] / expected[peak])
    if factor and np.isfinite(factor) and same(expected * factor):
        return f"all are {factor:.6g} times what they should be"
    return None
