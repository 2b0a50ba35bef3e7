"""The description in a model file: all of a model except its parameters, as JSON.

A description is read back before it is written, so no file is written that would be refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from volr.checks.annotations import as_float, shown
from volr.checks.json_values import entries_of, read_json
from volr.errors import ModelFileError, VolrError
from volr.language import to_network
from volr.model_files.entries import (
    MalformedError,
    activation_entries,
    activation_of,
    coding_entries,
    coding_of,
    entry,
    neuron_entries,
    neuron_of,
    neurons_of,
    number_of,
    object_in,
)
from volr.model_files.proofs import check_proof, check_whole_numbers, proof_entries
from volr.models.first_spike import FirstSpike, starts, unsuited, with_clock
from volr.models.model import READOUTS, ArtificialModel, Model, SpikingModel
from volr.models.timing import delay_problems, steps_of_delay, timing_problems
from volr.source import Source

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.network import Network, Projection

Origin: TypeAlias = Mapping[str, str | int | float]
"""Where a model comes from: the task and the seed of its training, and other texts and numbers."""

_MOST = 2**63


@dataclass(frozen=True)
class Description:
    """A model without its parameters.

    An artificial one has an ``activation``; a spiking one has the other fields of ``SpikingModel``
    in ``spiking``, and its ``proof`` if it has one.
    """

    network: Network
    origin: Origin
    activation: Activation | None
    spiking: Mapping[str, Any]
    proof: Mapping[str, Any] | None = None

    def model(self, arrays: Mapping[str, Floats]) -> Model:
        """The model with these parameters.

        Raises ``ModelError`` if they do not fit, if they are no whole numbers in a staircase
        network, or if the model was changed after its proof.
        """
        if self.activation is not None:
            artificial = ArtificialModel(self.network, arrays, self.activation)
            check_whole_numbers(artificial)
            return artificial
        found = SpikingModel(network=self.network, parameters=arrays, **self.spiking)
        check_proof(found, self.proof)
        return found


def describe(model: Model, origin: Origin) -> str:
    """The description of a model, which ``read_description`` reads.

    Raises ``ModelFileError`` for a network that is not that of its program, for a staircase network
    whose numbers are not whole, and for a wrong origin.
    """
    if model.network.source is None:
        raise ModelFileError(
            "this network was not made from a program, and a model file keeps the program",
            help="make the network with volr.to_network('dense …')",
        )
    content = {
        "program": model.network.source.text,
        **_entries(model),
        "origin": _origin_entries(origin),
    }
    # A path whose bytes are no text keeps JSON's escapes.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    text = text.encode(errors="backslashreplace").decode()
    try:
        read = read_description(text, "<program>")
        if isinstance(model, ArtificialModel):
            check_whole_numbers(model)
    except (MalformedError, VolrError) as error:
        raise ModelFileError(f"this model cannot be written: {error}") from error
    if read.network != model.network:
        raise ModelFileError(
            "this network is not the one that its program describes, and a model file keeps the "
            "program alone",
            help="make the network of a program that describes it, with volr.to_network('dense …')",
        )
    return text


def read_description(text: str, name: str) -> Description:
    """The description that ``describe`` wrote. ``name`` is the program's name in diagnostics.

    Raises ``MalformedError`` for another text, and ``ModelError`` or ``ProgramError`` for a
    description of no model.
    """
    try:
        described = entries_of(read_json(text))
    except ValueError as error:
        raise MalformedError(f"is not JSON: {error}") from error
    if described is None:
        raise MalformedError("is not a JSON object")
    network: Network = to_network(Source(entry(described, "program", str), name))
    origin = object_in(described, "origin")
    if (wrong := _origin_problem(origin)) is not None:
        raise MalformedError(f"has an origin {wrong}")
    kind = entry(described, "kind", str)
    if kind == "artificial":
        return Description(network, origin, activation_of(described), {})
    if kind == "spiking":
        spiking = _spiking(described)
        proof = described.get("proof")
        return Description(_clocked(network, spiking), origin, None, spiking, proof)
    raise MalformedError(f"has the kind {shown(kind)}, which is neither artificial nor spiking")


def _entries(model: Model) -> dict[str, Any]:
    match model:
        case ArtificialModel():
            return {"kind": "artificial", **activation_entries(model.activation)}
        case SpikingModel():
            return {
                "kind": "spiking",
                "neuron": neuron_entries(model.neuron),
                **({"neurons": _neurons_entries(model)} if model.neurons else {}),
                "coding": coding_entries(model.coding),
                "dt": model.dt,
                "duration": model.duration,
                "delay": model.delay,
                **({"delays": dict(model.delays)} if model.delays else {}),
                "readout": model.readout,
                **proof_entries(model),
            }


def _neurons_entries(model: SpikingModel) -> dict[str, Any]:
    return {name: neuron_entries(each) for name, each in model.neurons.items()}


def _spiking(described: dict[str, Any]) -> dict[str, Any]:
    # Older files have no readout; there was one, the first.
    readout = described.get("readout", READOUTS[0])
    own = object_in(described, "neurons") if "neurons" in described else {}
    times = {key: number_of(described.get(key), key) for key in ("dt", "duration", "delay")}
    delays = object_in(described, "delays") if "delays" in described else {}
    return {
        "neuron": neuron_of(object_in(described, "neuron")),
        "neurons": {name: neurons_of(object_in(own, name)) for name in own},
        "coding": coding_of(object_in(described, "coding")),
        "readout": readout,
        "delays": {name: number_of(each, name) for name, each in delays.items()},
        **times,
    }


def _clocked(network: Network, spiking: Mapping[str, Any]) -> Network:
    """The network with its clock, which is no part of the program, where the coding has one."""
    coding = spiking["coding"]
    if not isinstance(coding, FirstSpike):
        return network
    wrong = unsuited(network) + timing_problems(*(spiking[k] for k in ("dt", "duration", "delay")))
    if wrong := wrong or delay_problems(
        spiking["delays"], {each.name for each in network.projections}, spiking["dt"]
    ):
        raise MalformedError(f"is of no network with first spikes: {'; '.join(wrong)}")

    def delay(projection: Projection) -> int:
        return steps_of_delay(projection.name, spiking["delays"], spiking["delay"], spiking["dt"])

    return with_clock(network, starts(network, coding.levels, delay))


def _origin_entries(origin: Origin) -> dict[str, Any]:
    """An origin as it is written: sorted, so that equal origins give equal files, and with Python's
    numbers instead of NumPy's.
    """
    if (wrong := _origin_problem(origin)) is not None:
        raise ModelFileError(
            f"this model cannot be written: it has an origin {wrong}",
            help='an origin is texts and numbers by name, such as {"task": "xor", "seed": 0}',
        )
    return {
        str(key): value if isinstance(value, str) else _plain(value)
        for key, value in sorted(origin.items())
    }


def _plain(number: Any) -> int | float:
    return int(number) if hasattr(number, "__index__") else float(number)


def _origin_problem(origin: object) -> str | None:
    """What is wrong with an origin, in words. A wrong seed would silently split the data
    differently.
    """
    if not isinstance(origin, Mapping):
        return f"that is {shown(origin)}, not texts and numbers by name"
    entries = cast("Mapping[object, object]", origin)
    for key, value in entries.items():
        if not isinstance(key, str):
            return f"with the name {shown(key)}, which is no text"
        if isinstance(value, str):
            continue
        number = as_float(value)
        if number is None:
            return f"whose {key!r} is neither text nor a number: {shown(value)}"
        if not abs(number) < _MOST and not isinstance(value, float):
            return f"whose {key!r} is a number beyond all that are kept, 2^63"
        if not math.isfinite(number):
            return f"whose {key!r} is {number}, which is no finite number"
    seed, task = entries.get("seed", 0), entries.get("task", "")
    if not hasattr(seed, "__index__") or cast("int", seed) < 0:
        return f"with the seed {shown(seed)}, not a whole number from 0 up"
    if not isinstance(task, str):
        return f"with the task {shown(task)}, not a name"
    return None
