"""The evidence of each cause: in which populations it is, and the numbers that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from volr.explanation.wiring import is_calibrated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from volr.explanation.causes import Cause
    from volr.explanation.counts import Layer
    from volr.explanation.measure import Measured
    from volr.explanation.wiring import Block, Wiring
    from volr.models.model import SpikingModel

# The most badly scaled units that are listed, by their indices from 0.
_LISTED = 5
# Differences of activations, and offsets in spikes, below this are rounding.
_WORTH = 1e-9


def populations_with(cause: Cause, measured: Measured) -> tuple[str, ...]:
    """The populations that have this cause, whatever it costs there."""
    model = measured.model
    found: list[str] = []
    if cause == "coding":
        return tuple(
            name
            for name, values in model.values.items()
            if np.abs(values - model.unpaused[name]).max(initial=0.0) > _WORTH
        )
    if cause == "refractory":
        found += [n for n, spikes in model.spikes.items() if (spikes != model.unpaused[n]).any()]
    for layer in model.layers:
        wiring = measured.wirings[layer.name]
        most = float(measured.wanted[layer.name].max(initial=0.0))
        match cause:
            case "sign":
                there = any(block.sign_changed for block in wiring.blocks)
            case "weights":
                there = any(block.weights_changed for block in wiring.blocks)
            case "bias":
                there = wiring.biases_changed
            case "units":
                there = bool(layer.badly_scaled.any())
            case "dead":
                there = bool(layer.dead.any())
            case "saturation":
                there = layer.counted and (most > layer.most or layer.beyond > 0)
            case "quantisation":
                there = layer.counted
            case "ties":
                there = layer.output and layer.counted
            case "scale":
                # If the weights show which population it is, the others do not have it.
                there = layer.is_off_scale or not _is_off_scale(measured)
            case "integration":
                there = True
            case "reset" | "refractory" | "transient" | "driving":
                there = cause in layer.mechanisms
        if there:
            found.append(layer.name)
    return tuple(found)


def roots(causes: Iterable[Cause], measured: Measured) -> tuple[Cause, ...]:
    """Those of ``causes``, which the network has, that show in weights and biases."""
    shown: set[Cause] = {"sign", "weights", "bias", "units"}
    if _is_off_scale(measured):
        shown.add("scale")
    return tuple(cause for cause in causes if cause in shown)


def _is_off_scale(measured: Measured) -> bool:
    """Whether the weights show that a population's spikes count as something else."""
    return any(layer.is_off_scale for layer in measured.model.layers)


def faults(measured: Measured) -> tuple[str, ...]:
    """What in weights and biases differs from the ANN, in words, block by block."""
    found: list[str] = []
    for layer in measured.model.layers:
        name, wiring = layer.name, measured.wirings[layer.name]
        for block in wiring.blocks:
            found += [f"{block.projection.name}: {fault}" for fault in _block_faults(block)]
        if wiring.biases_changed:
            found.append(f"{name}: {_bias_fault(wiring)}")
        if layer.badly_scaled.any():
            found.append(f"{name}: {_units_fault(name, measured)}")
        found += [f"{name}: {fault}" for fault in _scale_faults(layer)]
    return tuple(found)


def _block_faults(block: Block) -> Iterator[str]:
    if block.charge == 0.0 and block.wanted.any():
        yield "all weights are zero"
    elif block.unrelated:
        yield "the weights are not the ANN's, whatever their scale"
    elif block.sign_changed:
        ratio = block.balance
        if abs(ratio) < 0.02:
            yield "negative weights are missing"
        elif ratio < 0:
            yield "negative weights act as positive ones, or positive as negative ones"
        elif not np.isfinite(ratio):
            yield "positive weights are missing"
        else:
            yield f"negative weights have {ratio:.2g} times the effect that they should have"
    elif block.weights_changed:
        yield f"{np.sqrt(block.foreign):.1%} of the weights' size is not the ANN's"


def _units_fault(name: str, measured: Measured) -> str:
    """Which units are badly scaled, the worst first, and how."""
    units = measured.units
    own = units.own[name]
    taken = np.ones_like(own)
    for projection in units.ann.network.projections:
        if projection.source == name:
            each = units.taken[projection.name]
            taken = np.where(np.abs(np.log(each)) > np.abs(np.log(taken)), each, taken)
    off = np.maximum(np.abs(np.log(own)), np.abs(np.log(taken)))
    is_bad = units.badly_scaled(name)
    badly = [unit for unit in np.argsort(-off).tolist() if is_bad[unit]]
    if len(badly) == 1:
        [unit] = badly
        return f"unit {unit} {_unit_in_words(float(own[unit]), float(taken[unit]))}"
    listed = ", ".join(
        f"{unit} ({_unit_in_short(float(own[unit]), float(taken[unit]))})"
        for unit in badly[:_LISTED]
    )
    more = ", …" if len(badly) > _LISTED else ""
    return f"{len(badly)} of {len(own)} units are badly scaled: {listed}{more}"


def _unit_in_words(own: float, taken: float) -> str:
    """``own``: its spikes over those of a unit in balance; ``taken``: what each counts."""
    ways: list[str] = []
    if own != 1.0:
        ways.append(f"has {_rounded(own)} times the spikes that its part in the network asks for")
    if not is_calibrated(taken):
        ways.append(f"its spikes count {_rounded(taken)} times what they stand for")
    return ", and ".join(ways)


def _unit_in_short(own: float, taken: float) -> str:
    ways = [f"spikes × {_rounded(own)}"]
    if not is_calibrated(taken):
        ways.append(f"taken × {_rounded(taken)}")
    return ", ".join(ways)


def _rounded(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 1000 else f"{factor:.3g}"


def _scale_faults(layer: Layer) -> Iterator[str]:
    for term in layer.terms:
        if term.factor != 1.0:
            yield f"spikes of {term.source} count {term.factor:.3g} times what they stand for"
    if layer.taken != 1.0:
        yield (
            f"its targets' weights ask for {layer.taken:.3g} times the spikes that its own weights "
            "bring"
        )


def _bias_fault(wiring: Wiring) -> str:
    if np.ptp(wiring.charge) == 0:
        return "all biases are the same"
    return "the biases are not the ANN's"


def evidence(cause: Cause, where: str, measured: Measured, snn: SpikingModel) -> str:
    """One phrase about the cause in the population ``where``."""
    if cause == "coding":
        off = np.abs(measured.model.values[where] - measured.model.unpaused[where]).mean()
        return f"the inputs' spikes are off by {off * measured.full:.2g} of {measured.full:.3g}"
    if cause == "refractory":
        room = snn.neuron.most_spikes(snn.dt, snn.steps)
        return f"τ_refrac {snn.neuron.tau_refrac:g} ms leaves room for {room} spikes"
    layer = next(each for each in measured.model.layers if each.name == where)
    wiring = measured.wirings[where]
    wanted = measured.wanted[where]
    match cause:
        case "sign" | "weights":
            texts = [text for block in wiring.blocks for text in _block_faults(block)]
            return texts[0] if texts else "weights are not the ANN's"
        case "bias":
            return _bias_fault(wiring)
        case "units":
            return _units_fault(where, measured)
        case "scale":
            return _scale_evidence(layer)
        case "dead":
            return f"{int(layer.dead.sum())} of {layer.dead.size} neurons never fire" + _why(wiring)
        case "saturation":
            share = float((wanted > layer.most).mean())
            counts = "counts wanted are"
            if layer.beyond > share:
                share, counts = layer.beyond, "counts that its sources drive it to are"
            return (
                f"{share:.1%} of the {counts} above {layer.most:.0f}, the most that its neurons "
                "reach"
            )
        case "quantisation":
            full = float(np.percentile(np.maximum(wanted, 0.0), 99))
            return f"a strong activation is {full:.2g} spikes"
        case "ties":
            counts = [measured.recorded[name] for name in measured.model.outputs]
            read = np.concatenate(counts, axis=1)
            tied = ((read == read.max(axis=1, keepdims=True)).sum(axis=1) > 1).mean()
            return f"{tied:.1%} of the stimuli have outputs that share the highest count"
        case "integration" | "reset" | "transient" | "driving":
            return _deviation_evidence(cause, layer)


def _why(wiring: Wiring) -> str:
    if not any(block.charge for block in wiring.blocks):
        return ": all weights into them are zero"
    if wiring.biases_changed:
        return ": their biases are not the ANN's"
    return ""


def _scale_evidence(layer: Layer) -> str:
    """What is wrong with the scale of a whole population, or of how its sources' spikes count."""
    texts = [*_scale_faults(layer)]
    ratio = layer.gain / layer.slope
    if abs(ratio - 1) > 0.02:
        texts.append(f"it fires {ratio:.3g} times as much as its targets take it for")
    if not layer.output and abs(layer.offset) > _WORTH:
        texts.append(
            f"{layer.offset:+.2g} spikes a stimulus too {'many' if layer.offset > 0 else 'few'}"
        )
    return ", ".join(texts) or "nothing to be seen"


def _deviation_evidence(cause: Cause, layer: Layer) -> str:
    everything = layer.mechanisms
    with_it = float(layer.deviations[everything].std())
    if cause == "integration":
        without = float(layer.deviations[frozenset()].std())
        return f"counts are off by {without:.2g} spikes even without the others"
    without = float(layer.deviations[everything - {cause}].std())
    return f"counts are off by {with_it:.2g} spikes, without it by {without:.2g}"
