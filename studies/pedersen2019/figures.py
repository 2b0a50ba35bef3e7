"""The figures of the original work, drawn from what ``studies.pedersen2019.theory`` measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.pedersen2019.theory import CHAIN_SIZE, DURATION, NEURON, WEIGHT_SCALE

from volr.experiments.report.style import (
    BLUE,
    DASHES,
    INK,
    MARKERS,
    MUTED,
    ORANGE,
    SERIES,
    below,
    drawing,
    minus,
    panel,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from studies.pedersen2019.theory import Chain, Response, Theory, Trace

    from volr.experiments.report.style import Drawing

_ORDINALS = ("1st", "2nd", "3rd", "4th")
_SPIKE_TOP = (
    5.0  # mV: a spike is drawn from the threshold up to here; the model has no shape for it
)


def theory_figures(found: Theory) -> tuple[Drawing, ...]:
    """Membrane, response and chain, in the order of the original."""
    return trace_figure(found.trace), response_figure(found.response), chain_figure(found)


def trace_figure(found: Trace) -> Drawing:
    """The membrane of a neuron under a constant current, spikes as strokes."""

    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), "time, ms", "membrane, mV")
        axes.axhline(NEURON.v_thresh, color=MUTED, linewidth=0.8, linestyle=DASHES[1])
        axes.text(DURATION, NEURON.v_thresh + 1, "threshold", ha="right", va="bottom", color=MUTED)
        axes.plot(found.times, found.membrane, color=BLUE)
        axes.vlines(found.spikes, NEURON.v_thresh, _SPIKE_TOP, color=BLUE, linewidth=1.5)
        axes.set_xlim(0.0, DURATION)

    return drawing(
        "theory-membrane",
        f"Membrane under a constant current of {found.current:g} nA",
        f"The membrane rises from {minus(f'{NEURON.v_rest:g}')} mV to the threshold, "
        f"{minus(f'{NEURON.v_thresh:g}')} mV, "
        f"and is reset, {len(found.spikes)} times in {DURATION:g} ms. Strokes are spikes.",
        draw,
    )


def response_figure(found: Response) -> Drawing:
    """Spike count against current, with its regression; the rate on the right."""
    line = found.line
    formula = (
        f"{line.slope:.3f} I {'−' if line.intercept < 0 else '+'} {abs(line.intercept):.3f}, "
        f"r² = {line.r_squared:.4f}"
    )

    def draw(figure: Figure) -> None:
        axes = panel(figure.add_subplot(), "constant current I, nA", f"spikes in {DURATION:g} ms")
        first, last = found.currents[0], found.currents[-1]
        axes.plot(found.currents, found.counts, MARKERS[0], color=BLUE, markersize=2.5)
        ends = (max(first, -line.intercept / line.slope), last)
        fitted = tuple(line.slope * each + line.intercept for each in ends)
        axes.plot(ends, fitted, color=ORANGE)
        axes.set_xlim(first, last * 1.01)
        axes.set_ylim(bottom=0.0)
        axes.text(0.03, 0.95, formula, transform=axes.transAxes, va="top", color=INK)
        rates = axes.secondary_yaxis(
            "right",
            (lambda count: count * 1000.0 / DURATION, lambda rate: rate * DURATION / 1000.0),
        )
        rates.set_ylabel("rate, Hz")

    return drawing(
        "theory-response",
        "Spike count against constant current",
        f"Counts lie near the line {formula}, from the first spike above "
        f"{found.silent_up_to:g} nA to {found.counts[-1]} spikes at {found.currents[-1]:g} nA.",
        draw,
    )


def chain_figure(found: Theory) -> Drawing:
    """Counts of the 2nd, 3rd and 4th population against the 1st's, without and with the scale."""

    def draw(figure: Figure) -> None:
        without, scaled = figure.subplots(1, 2)
        _chain(without, found.unscaled, "without the scale", "spikes of a neuron")
        _chain(scaled, found.scaled, f"weights × {WEIGHT_SCALE:g}/n", "")
        below(figure, scaled, columns=3)

    return drawing(
        "theory-chain",
        "Spike counts along a chain of populations",
        f"Populations of {CHAIN_SIZE} neurons, excitatory synapses. With weights of "
        f"{found.unscaled.weight:g} µS the 4th population saturates at {found.unscaled.most:.0f} "
        f"spikes; with weights of {WEIGHT_SCALE:g}/n µS it follows the 1st up to "
        f"{found.scaled.most:.0f} (r² {found.scaled.lines[-1].r_squared:.3f}).",
        draw,
    )


def _chain(axes: Axes, chain: Chain, title: str, y: str) -> None:
    panel(axes, "spikes, 1st population", y, title)
    driven, *others = chain.counts
    for number, counts in enumerate(others, 1):
        axes.plot(
            driven,
            counts,
            DASHES[number - 1],
            color=SERIES[number - 1],
            label=f"{_ORDINALS[number]} population",
        )
    axes.set_xlim(0.0, driven[-1])
    axes.set_ylim(bottom=0.0)
