"""What is read back of a PyTorch module is what its operations do, also where they are wrong.

The oracle is the module itself: zeros and unit vectors go through its forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.oracles import random_parameters
from torch.nn import functional

from volr.backends.expected import expected
from volr.backends.readback import Asked
from volr.backends.terms import WINDOWS
from volr.backends.torch.module import module_from
from volr.backends.torch.operations import Averaged, KernelProduct, Operation, Pooling, Scaling
from volr.backends.torch.read_back import contents
from volr.errors import BackendError
from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.model import ArtificialModel
from volr.network.connectors import AveragePool
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from volr.backends.readback import ArtificialReadback
    from volr.backends.torch.module import NetworkModule
    from volr.backends.torch.plan import Step
    from volr.verification.differences import Comparison

PROGRAMS = (
    "conv [2 7 9] 4 [3 2] stride:[1 2] pad:[0 1]",
    "conv [4 6 5] 6 [1 3] stride:[2 1] pad:[1 0] groups:2",
    "conv [2 9] 4 3 stride:2 pad:1 groups:2",
    "avgpool [2 7 9] [3 2] stride:[2 1] ⦶ conv _ 3 [2 1]",
    "avgpool [2 9] 2 ⦶ avgpool _ 2 stride:1 ⦶ dense _ 3",
    "avgpool [2 6 4] [3 2]",
    "id [2 3 2]",
    "(conv [2 6 5] 3 3 ⊕ conv [2 6 5] 3 [5 3] pad:[1 0]) ⊕ dense [2 6 5] [3 4 3]",
)
"""Each has one population that computes."""

DEEP = """
conv [2 7 9] 4 [3 2] stride:[1 2] pad:[0 1] ⦶ maxpool _ [2 3] stride:[2 1]
⦶ (conv _ 4 3 pad:1 groups:2 ⊕ id _) ⦶ avgpool _ [1 2] stride:1 ⦶ maxpool _ 1
⦶ (dense _ 3 ⊕ dense _ 3)
"""


def module_of(text: str, **changes: Any) -> tuple[ArtificialModel, NetworkModule]:
    network = to_network(text)
    values = random_parameters(network, np.random.default_rng(0), weight=0.4, bias=0.3)
    model = ArtificialModel(network, values, Tanh())
    module = module_from(model, dtype=torch.float64)
    if changes:
        step = replace(module.plan.steps[-1], **changes)
        module.plan = replace(module.plan, steps=(*module.plan.steps[:-1], step))
    return model, module


def assert_says_what_it_does(module: NetworkModule, found: ArtificialReadback) -> None:
    """Of a module with one sum."""
    ((weights,), (bias,)) = found.weights.values(), found.biases.values()
    size = module.network.input_size
    with torch.no_grad():
        at_zero = module(torch.zeros((1, size), dtype=torch.float64))[0].numpy()
        columns = module(torch.eye(size, dtype=torch.float64)).numpy() - at_zero
    assert isinstance(weights, Asked)
    assert isinstance(bias, Asked)
    np.testing.assert_allclose(np.nan_to_num(weights.value), columns.T, atol=1e-12)
    np.testing.assert_allclose(bias.value, at_zero, atol=1e-12)


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_sum_is_read_back_as_it_is_computed(text: str) -> None:
    model, module = module_of(text)
    found = contents(module)
    assert_says_what_it_does(module, found)
    assert compare(expected(model), found).differences == ()


def test_a_deep_network_is_read_back_whole() -> None:
    model, module = module_of(DEEP)
    found = compare(expected(model), contents(module))
    assert found.differences == ()
    assert (found.fields["merges"].asked, found.told) == (2, 0)


@dataclass(frozen=True)
class Through(Operation):
    """Another operation, with something done to what it reads, or to its weights or biases."""

    then: Operation
    values: Callable[[Tensor], Tensor] = lambda each: each
    weights: Callable[[Tensor], Tensor] = lambda each: each
    biases: Callable[[Tensor], Tensor] = lambda each: each

    def takes_bias(self, count: int) -> bool:
        return self.then.takes_bias(count)

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return self.then(
            self.values(x), self.weights(weight), None if bias is None else self.biases(bias)
        )


def operation(step: Step) -> Any:
    return step.terms[0][2]


def read(
    text: str, change: Callable[[Any], Operation]
) -> tuple[NetworkModule, ArtificialReadback, Comparison]:
    """A module whose last operation is another, what is read of it, and what differs."""
    _, right = module_of(text)
    step = right.plan.steps[-1]
    source, weight, given = step.terms[0]
    model, module = module_of(text, terms=((source, weight, change(given)), *step.terms[1:]))
    found = contents(module)
    return module, found, compare(expected(model), found)


def kernel(**changes: Any) -> Callable[[KernelProduct], Operation]:
    return lambda right: replace(right, connector=replace(right.connector, **changes))


CONV = "conv [2 6 9] 4 [3 4] stride:[2 3] groups:2"
POOL = "avgpool [2 5 7] [2 3] stride:[3 2] ⦶ dense _ 3"
WRONG: dict[str, tuple[str, Callable[[Any], Operation], str | None]] = {
    "another stride": (CONV, kernel(stride=(3, 3)), "the stride is 3x3 instead of 2x3"),
    "another padding": (
        "conv [1 6 6] 2 3 stride:3",
        kernel(pad=(1, 1)),
        "the padding is 1x1 instead of 0x0",
    ),
    "a kernel flipped": (
        "conv [1 5 6] 2 [3 2]",
        lambda r: Through(r, weights=lambda w: w.flip(-1).flip(-2)),
        "the kernel is flipped",
    ),
    "other numbers": (
        "conv [4 6] 4 3 groups:4",
        lambda r: Through(r, weights=lambda w: w + 1.0),
        None,
    ),
    "columns flipped": (
        CONV,
        lambda r: Through(r, weights=lambda w: w.flip(-1)),
        "the columns of the kernel are flipped",
    ),
    "axes exchanged": (
        "conv [2 5 5] 3 3",
        lambda r: Through(r, weights=lambda w: w.transpose(-1, -2)),
        "the axes of the kernel are exchanged",
    ),
    "channels exchanged": (
        "conv [2 6 9] 4 2",
        lambda r: Through(r, weights=lambda w: w.flip(1)),
        "the channels 0 and 1 of the source are exchanged",
    ),
    "another bias of each channel": (CONV, lambda r: Through(r, biases=lambda b: b.flip(0)), None),
    "another window": (
        POOL,
        lambda r: replace(r, pools=((AveragePool((1, 3), (3, 2)), r.pools[0][1]),)),
        "the window of a pool is 1x3 instead of 2x3",
    ),
    "sums in place of means": (
        "avgpool [2 4 6] 2 ⦶ conv _ 2 2",
        lambda r: Through(
            r.then,
            values=lambda x: functional.avg_pool2d(
                x.reshape(-1, 2, 4, 6), 2, divisor_override=1
            ).flatten(1),
        ),
        "a pool adds up in place of taking the mean",
    ),
    "twice the means": (
        POOL,
        lambda r: Through(r, values=lambda x: x * 2.0),
        "all are 2 times what they should be",
    ),
}


@pytest.mark.parametrize(("text", "change", "cause"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_read_back_as_it_is(
    text: str, change: Callable[[Any], Operation], cause: str | None
) -> None:
    module, held, found = read(text, change)
    assert_says_what_it_does(module, held)
    assert {each.field for each in found.differences} <= {"weights", "biases"}
    assert cause in {each.cause for each in found.differences}


def test_biases_by_pixel_are_found() -> None:
    @dataclass(frozen=True)
    class ByPixel(Through):
        def takes_bias(self, count: int) -> bool:
            return count == 4

        def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
            assert bias is not None
            return self.then(x, weight) + bias.repeat(28)

    module, held, found = read("conv [2 9 6] 4 3", ByPixel)
    assert_says_what_it_does(module, held)
    (difference,) = found.differences
    assert difference.field == "biases"
    assert difference.cause == "those of the channels are spread by pixel"


class Means(Pooling):
    """The means of windows, where their largest should be."""

    def largest(self, x: Tensor, weight: Tensor) -> Tensor:
        maps = (x * weight).reshape(-1, *self.source)
        return functional.avg_pool2d(maps, self.pool.window, self.pool.stride).flatten(1)


class Largest(Averaged):
    """The largest of windows, where their means should be."""

    def _means(self, x: Tensor) -> Tensor:
        ((pool, source),) = self.pools
        return functional.max_pool2d(x.reshape(-1, *source), pool.window, pool.stride).flatten(1)


def test_means_and_the_largest_are_told_apart() -> None:
    module, held, found = read("maxpool [2 4 6] 2", lambda right: Means(right.pool, right.source))
    assert_says_what_it_does(module, held)
    assert {each.field for each in found.differences} == {"weights", "merges"}
    _, held, found = read(POOL, lambda right: Largest(right.pools, right.then))
    assert {each.field for each in found.differences} == {"weights", "merges"}
    assert list(held.merges.values()) == [Asked(WINDOWS)]
    _, held, found = read("conv [1 6 6] 1 3 ⦶ (maxpool _ 2 ⊕ maxpool _ 2)", lambda right: right)
    assert not found.differences


REFUSED: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "maps turned": ("id [1 3 3]", lambda x: x.reshape(-1, 3, 3).transpose(1, 2).flatten(1)),
    "batches mixed": ("id [1 3 3]", lambda x: x.reshape(3, 3).sum(0, keepdim=True).repeat(1, 3)),
    "a window that sticks out": (
        "id [1 3 3]",
        lambda x: functional.avg_pool2d(x.reshape(-1, 1, 3, 3), 3, 1, 1).flatten(1),
    ),
    "a kernel with holes": (
        "id [1 3 3]",
        lambda x: functional.conv2d(
            x.reshape(-1, 1, 3, 3), torch.ones((1, 1, 2, 2)).double(), dilation=2, padding=1
        ).flatten(1),
    ),
    "a number more": ("id [1 3 3]", lambda x: x + 1.0),
}


@pytest.mark.parametrize(("text", "values"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_module_of_ours_does_is_refused(
    text: str, values: Callable[[Tensor], Tensor]
) -> None:
    with pytest.raises(BackendError, match="the module"):
        read(text, lambda right: Through(right, values=values))


def test_one_weight_for_all_is_one_to_one() -> None:
    model, module = module_of("id [2 3 2]")
    assert isinstance(operation(module.plan.steps[0]), Scaling)
    with torch.no_grad():
        module.named_values()["input->id_1.weight"].fill_(2.0)
    (difference,) = compare(expected(model), contents(module)).differences
    assert difference.cause is not None
