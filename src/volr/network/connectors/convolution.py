"""``Convolution``: each neuron of the target to a window of the source, with one kernel for all."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from volr.network.connectors.base import Connector, Entries, axes_text, by_channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from volr.checks.arrays import Booleans, Floats, Integers
    from volr.network.connectors.base import Scaling, Shape

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Convolution(Connector):
    """A kernel that slides over the one or two axes after the channels: ``[c, n…]`` to ``[k, m…]``.

        m = ⌊(n + 2·pad − window) / stride⌋ + 1                      on each axis
        target[o, y] = Σ_i Σ_d weights[o, i, d] · source[i, y·stride + d − pad]

    with 0 outside the source. So it is PyTorch's, a cross-correlation. Channels are in ``groups``:
    a channel of the target sums over the source's channels of its own group only. Weights are
    ``[k, c/groups, window…]``. ``stride`` is 1 and ``pad`` 0 on each axis by default.
    """

    window: Shape
    stride: Shape = ()
    pad: Shape = ()
    groups: int = 1

    name = "convolution"

    def __post_init__(self) -> None:
        axes = len(self.window)
        object.__setattr__(self, "stride", self.stride or (1,) * axes)
        object.__setattr__(self, "pad", self.pad or (0,) * axes)

    def __str__(self) -> str:
        words = [f"{self.name} {axes_text(self.window)}"]
        words += [f"stride:{axes_text(self.stride)}"] if set(self.stride) != {1} else []
        words += [f"pad:{axes_text(self.pad)}"] if any(self.pad) else []
        words += [f"groups:{self.groups}"] if self.groups != 1 else []
        return " ".join(words)

    @property
    def labels(self) -> tuple[str, ...]:
        _, window, *rest = str(self).split()
        return (f"conv {window}", *rest)

    def misfit(self, source: Shape, target: Shape) -> str | None:
        axes = len(self.window)
        if wrong := self._fault():
            return wrong
        if len(source) != axes + 1 or len(target) != axes + 1:
            return (
                f"{self} needs shapes of channels and {axes} {'axis' if axes == 1 else 'axes'}, "
                f"and these are {source} and {target}"
            )
        channels = {"source": source[0], "target": target[0]}
        for side, count in channels.items():
            if count % self.groups:
                return f"{self.groups} groups do not divide the {count} channels of the {side}"
        sizes = zip(source[1:], self.window, self.stride, self.pad, target[1:], strict=True)
        for n, window, stride, pad, wanted in sizes:
            found = (n + 2 * pad - window) // stride + 1
            if found != wanted or found < 1:
                formula = f"⌊({n} + 2·{pad} − {window})/{stride}⌋ + 1 = {found}"
                return f"{self} makes {formula} of {n}, and the target has {wanted}"
        return None

    def _fault(self) -> str | None:
        """What is wrong with the numbers themselves."""
        axes = len(self.window)
        if axes not in (1, 2) or len(self.stride) != axes or len(self.pad) != axes:
            return f"{self} is of {axes} axes, and a convolution is of one or two, all alike"
        least = {"window": (self.window, 1), "stride": (self.stride, 1), "pad": (self.pad, 0)}
        for name, (values, most) in least.items():
            if min(values) < most:
                return f"the {name} of {self} is below {most}"
        return f"{self} has {self.groups} groups" if self.groups < 1 else None

    def weight_shape(self, source: Shape, target: Shape) -> Shape:
        return target[0], source[0] // self.groups, *self.window

    def bias_count(self, target: Shape) -> int:
        return target[0]

    @property
    def scaling(self) -> Scaling:
        return "channel"

    def rescaled(
        self, weights: Floats, after: Floats, before: Floats, source: Shape, target: Shape
    ) -> Floats:
        import numpy as np

        axes = (1,) * len(self.window)
        of_inputs = by_channel(before, source).reshape(self.groups, 1, -1)
        each = np.repeat(of_inputs, target[0] // self.groups, axis=1).reshape(target[0], -1)
        return (
            weights
            * by_channel(after, target).reshape(-1, 1, *axes)
            / each.reshape(*each.shape, *axes)
        )

    def synapse_count(self, source: Shape, target: Shape) -> int:
        axes = zip(source[1:], target[1:], self.window, self.stride, self.pad, strict=True)
        inside = math.prod(_inside(*each) for each in axes)
        return target[0] * (source[0] // self.groups) * inside

    def fan_out(self, weights: Floats, source: Shape, target: Shape) -> Integers:
        import numpy as np

        ones = np.ones((1, math.prod(target)))
        counted = self.transposed((weights != 0).astype(np.float64), ones, source, target)
        return np.rint(counted[0]).astype(np.int64)

    def _places(self, source: Shape, target: Shape) -> list[tuple[Integers, Booleans]]:
        """Axis by axis ``[m, d]``: where the source is read, and whether that is inside of it."""
        import numpy as np

        found: list[tuple[Integers, Booleans]] = []
        axes = zip(source[1:], target[1:], self.window, self.stride, self.pad, strict=True)
        for n, m, window, stride, pad in axes:
            at = stride * np.arange(m)[:, None] + np.arange(window) - pad
            found.append((at, (at >= 0) & (at < n)))
        return found

    def entries(self, source: Shape, target: Shape) -> Iterator[Entries]:
        import numpy as np

        inputs, area = source[0] // self.groups, math.prod(source[1:])
        # One channel of the target: [m…, input, d…], which is the order of the synapses.
        pre, there = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for n, (at, inside) in zip(source[1:], self._places(source, target), strict=True):
            pre = _crossed(np.add, n * pre, at)
            there = _crossed(np.logical_and, there, inside)
        positions, window = pre.shape
        shape = (positions, inputs, window)
        post = np.broadcast_to(np.arange(positions)[:, None, None], shape)
        pre = area * np.arange(inputs)[None, :, None] + pre[:, None, :]
        index = window * np.arange(inputs)[None, :, None] + np.arange(window)
        kept = np.broadcast_to(there[:, None, :], shape)
        post, pre, index = post[kept], pre[kept], np.broadcast_to(index, shape)[kept]
        together = max(1, _BLOCK // max(1, len(post)))
        for first in range(0, target[0], together):
            channels = np.arange(first, min(first + together, target[0]))[:, None]
            group = channels // (target[0] // self.groups)
            whole = (positions * channels + post).ravel()
            yield Entries(
                whole,
                (group * inputs * area + pre).ravel(),
                (channels * inputs * window + index).ravel(),
                np.ones(len(whole)),
            )

    def apply(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        import numpy as np

        batch, axes = len(values), len(self.window)
        padded = np.pad(
            values.reshape(batch, *source), [(0, 0), (0, 0), *((each, each) for each in self.pad)]
        )
        # NumPy's own types know one axis only.
        windows: Any = np.lib.stride_tricks.sliding_window_view
        seen: Floats = windows(padded, self.window, axis=tuple(range(2, 2 + axes)))
        steps = tuple(slice(None, None, each) for each in self.stride)
        seen = seen[(slice(None), slice(None), *steps)]
        inputs, outputs = source[0] // self.groups, target[0] // self.groups
        over = ((1, *range(2 + axes, 2 + 2 * axes)), (1, *range(2, 2 + axes)))
        parts: list[NDArray[Any]] = [
            np.tensordot(
                seen[:, g * inputs : (g + 1) * inputs],
                weights[g * outputs : (g + 1) * outputs],
                axes=over,
            )
            for g in range(self.groups)
        ]
        return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1).reshape(batch, -1)

    def transposed(self, weights: Floats, values: Floats, source: Shape, target: Shape) -> Floats:
        import numpy as np

        batch = len(values)
        inputs, outputs = source[0] // self.groups, target[0] // self.groups
        sent = values.reshape(batch, *target)
        # As far as the windows reach, which may end before the padded source does.
        ends = zip(source[1:], self.pad, strict=True)
        back = np.zeros((batch, source[0], *(n + 2 * pad for n, pad in ends)))
        for offset in itertools.product(*map(range, self.window)):
            places = tuple(
                slice(d, d + stride * (m - 1) + 1, stride)
                for d, stride, m in zip(offset, self.stride, target[1:], strict=True)
            )
            for g in range(self.groups):
                of, to = slice(g * outputs, (g + 1) * outputs), slice(g * inputs, (g + 1) * inputs)
                kernel = weights[(of, slice(None), *offset)]
                part = np.tensordot(sent[:, of], kernel, axes=((1,), (0,)))
                back[(slice(None), to, *places)] += np.moveaxis(part, -1, 1)
        inner = tuple(slice(pad, pad + n) for n, pad in zip(source[1:], self.pad, strict=True))
        return back[(slice(None), slice(None), *inner)].reshape(batch, -1)


def _inside(n: int, m: int, window: int, stride: int, pad: int) -> int:
    """How many places of all windows of one axis lie in the source, and not in its padding."""
    found = 0
    for d in range(window):
        # 0 ≤ y·stride + d − pad < n
        first, last = -((d - pad) // stride), (n - 1 + pad - d) // stride
        found += max(0, min(last, m - 1) - max(first, 0) + 1)
    return found


def _crossed(join: np.ufunc, one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    """``[m, d]`` and ``[m', d']``, each pair joined, as ``[m m', d d']``."""
    joined = join(one[:, None, :, None], two[None, :, None, :])
    return joined.reshape(len(one) * len(two), -1)
