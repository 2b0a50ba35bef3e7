"""Networks built by hand, as their programs lower, and networks at random."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from volr.network import Network, Population, Projection
from volr.network.connectors import Convolution, Slice, Windows

if TYPE_CHECKING:
    from collections.abc import Sequence


def network(sizes: Sequence[int], *ends: tuple[int, int]) -> Network:
    """The first population is the input; those that lead nowhere are the outputs."""
    names = ["input", *(f"dense_{index}" for index in range(1, len(sizes)))]
    sources = {source for source, _ in ends}
    return Network(
        populations=tuple(
            Population(name, (size,)) for name, size in zip(names, sizes, strict=True)
        ),
        projections=tuple(Projection(names[source], names[target]) for source, target in ends),
        inputs=("input",),
        outputs=tuple(name for index, name in enumerate(names) if index not in sources),
    )


def sequence(length: int, size: int = 10) -> Network:
    return network([size] * length, *((index, index + 1) for index in range(length - 1)))


def parallel(*branches: int) -> Network:
    """An input of 20, the branches side by side, and one population of 10 that joins them."""
    last = len(branches) + 1
    ends = [(0, index) for index in range(1, last)] + [(index, last) for index in range(1, last)]
    return network([20, *branches, 10], *ends)


# dense 2 4 ⦶ dense 4 2
XOR = network([2, 4, 2], (0, 1), (1, 2))

# dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10
PARALLEL = network([100, 20, 10, 10, 10], (0, 1), (1, 2), (1, 3), (2, 4), (3, 4))

# (dense 2 3 ⊖ (dense 2 4 ⦶ dense 4 5)) ⦶ dense 8 2
SKIP = network([2, 3, 4, 5, 2], (0, 1), (0, 2), (2, 3), (1, 4), (3, 4))

# beyond what programs say so far: axes, several inputs and outputs, an output in the middle
MIXED = Network(
    populations=(
        Population("image", (1, 28, 28)),
        Population("clock", (1,)),
        Population("features", (4, 12, 12)),
        Population("where", (2,)),
        Population("what", (10,)),
    ),
    projections=(
        Projection("image", "features"),
        Projection("features", "where"),
        Projection("features", "what"),
        Projection("clock", "what"),
    ),
    inputs=("image", "clock"),
    outputs=("what", "features", "where"),
)

# conv [1 6 7] 3 3 ⦶ maxpool _ 2 ⦶ (dense _ 5 ⊖ (dense _ 4 ⦶ dense _ 3)), with a clock
CLOCKED = Network(
    populations=(
        Population("input", (1, 6, 7)),
        Population("clock", (11,)),
        Population("conv_1", (3, 4, 5)),
        Population("maxpool_2", (3, 2, 2), merge="max"),
        Population("dense_3", (5,)),
        Population("dense_4", (4,)),
        Population("dense_5", (3,)),
    ),
    projections=(
        Projection("input", "conv_1", Convolution((3, 3))),
        Projection("conv_1", "maxpool_2", Windows((2, 2))),
        Projection("maxpool_2", "dense_3"),
        Projection("maxpool_2", "dense_4"),
        Projection("dense_4", "dense_5"),
        Projection("clock", "conv_1", Slice(0, 3)),
        Projection("clock", "dense_3", Slice(3, 2)),
        Projection("clock", "dense_4", Slice(3, 3)),
        Projection("clock", "dense_5", Slice(9, 2)),
    ),
    inputs=("input",),
    outputs=("dense_3", "dense_5"),
    clock="clock",
)

NAMES = ("<b>", "&amp;", '"', "'", "]]>", "-", ">", "--", "面", "a" * 40, "面" * 30, "é")


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Feed-forward graphs of any form, with names that markup and text forms stumble over."""
    count = draw(st.integers(1, 14))
    stems = draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count))
    names = [f"{stem}{index}" for index, stem in enumerate(stems)]
    axes = st.lists(st.sampled_from((1, 2, 3, 10, 784, 10**7)), min_size=1, max_size=3)
    populations = tuple(Population(name, tuple(draw(axes))) for name in names)
    projections: list[Projection] = []
    inputs: list[str] = []
    for index, name in enumerate(names):
        earlier = st.sets(st.sampled_from(names[:index]), max_size=4) if index else st.just(set())
        sources: set[str] = draw(earlier)
        projections += [Projection(source, name) for source in sorted(sources)]
        if not sources:
            inputs.append(name)
    leading = {projection.source for projection in projections}
    ends = [name for name in names if name not in leading]
    more = draw(st.sets(st.sampled_from(names), max_size=2)) - set(ends)
    return Network(
        populations,
        tuple(draw(st.permutations(projections))),
        tuple(draw(st.permutations(inputs))),
        tuple(draw(st.permutations([*ends, *sorted(more)]))),
    )


@st.composite
def clocked_networks(draw: st.DrawFn) -> Network:
    """The same with a clock, which reaches some of those that are no inputs."""
    plain = draw(networks().filter(lambda each: len(each.layers) > 0))
    layers = [each.name for each in plain.layers]
    reached = draw(st.sets(st.sampled_from(layers), min_size=1))
    ticks = tuple(
        Projection("tick", name, Slice(draw(st.integers(0, 3)), 2)) for name in sorted(reached)
    )
    return replace(
        plain,
        populations=(Population("tick", (5,)), *plain.populations),
        projections=(*ticks, *plain.projections),
        clock="tick",
    )
