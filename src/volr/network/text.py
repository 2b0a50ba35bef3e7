"""A network as text, in one form for people, for diffs and for golden files.

    net 2 1

    populations
      input    2  input
      dense_1  4
      dense_2  1  output

    projections
      input->dense_1    all_to_all  8 synapses
      dense_1->dense_2  all_to_all  4 synapses

    7 neurons, 12 synapses, 17 parameters (12 weights, 5 biases), 12 multiplications

Equal networks have equal texts, and different networks have different ones. Each population and
each projection is a line, in the graph's order. Several inputs or outputs are numbered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.network.graph import Network, Population, Projection


def network_text(network: Network) -> str:
    """The listing above, without a newline at its end."""
    roles = _roles(network)
    populations = [
        (p.name, shape_text(p.shape), ", ".join([*_merges(p), *roles.get(p.name, ())]))
        for p in network.populations
    ]
    projections = [
        (p.name, _connects(p), counted(network.synapses(p), "synapse")) for p in network.projections
    ]
    parts = [f"net {_side(network, network.inputs)} {_side(network, network.outputs)}"]
    parts.append("populations\n" + _aligned(populations, "<><"))
    if projections:
        parts.append("projections\n" + _aligned(projections, "<<>"))
    weights = network.parameter_count - network.bias_count
    parts.append(
        f"{counted(network.neuron_count, 'neuron')}, {counted(network.synapse_count, 'synapse')}, "
        f"{counted(network.parameter_count, 'parameter')} "
        f"({counted(weights, 'weight')}, {counted(network.bias_count, 'bias', 'biases')}), "
        f"{counted(network.multiplication_count, 'multiplication')}"
    )
    return "\n\n".join(parts)


def network_json(network: Network) -> dict[str, Any]:
    """The graph as plain lists and mappings, ready for ``json.dumps``."""
    return {
        "populations": [
            {"name": p.name, "shape": list(p.shape)}
            | ({} if p.merge == "sum" else {"merge": p.merge})
            for p in network.populations
        ],
        "projections": [
            {"source": p.source, "target": p.target, "connector": str(p.connector)}
            | ({"back": True} if p.back else {})
            | ({} if p.number == 1 else {"number": p.number})
            for p in network.projections
        ],
        "inputs": list(network.inputs),
        "outputs": list(network.outputs),
    } | ({} if network.clock is None else {"clock": network.clock})


def shape_text(shape: tuple[int, ...]) -> str:
    """``100`` for a row, ``1x28x28`` for more axes, as a program writes them."""
    return "x".join(map(str, shape))


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 neuron``, ``2,000 neurons``; by default, a plural ends in s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _side(network: Network, names: Sequence[str]) -> str:
    """The shape of some populations side by side along their first axis, as a program writes it.

    Shapes that differ beyond that axis are told by the number of their neurons.
    """
    shapes = [network[name].shape for name in names]
    rest = {shape[1:] for shape in shapes}
    if rest == {()} or len(rest) > 1:
        return str(sum(network[name].size for name in names))
    axes = (sum(shape[0] for shape in shapes), *rest.pop())
    return f"[{' '.join(map(str, axes))}]"


def _merges(population: Population) -> list[str]:
    return [] if population.merge == "sum" else [population.merge]


def _connects(projection: Projection) -> str:
    return f"{projection.connector} back" if projection.back else str(projection.connector)


def _roles(network: Network) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    for side, names in (("input", network.inputs), ("output", network.outputs)):
        for number, name in enumerate(names, start=1):
            roles.setdefault(name, []).append(side if len(names) == 1 else f"{side} {number}")
    if network.clock is not None:
        roles[network.clock] = ["clock"]
    return roles


def _aligned(rows: Sequence[tuple[str, ...]], alignments: str) -> str:
    """Indented columns, two spaces apart; ``<`` and ``>`` are their alignments."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            f"{cell:{side}{width}}"
            for cell, side, width in zip(row, alignments, widths, strict=True)
        )
        for row in rows
    )
    return "\n".join(f"  {line}".rstrip() for line in lines)
