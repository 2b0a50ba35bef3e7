"""The numbers of a state dict in a program of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from volr.checks import arguments
from volr.checks.annotations import shown, type_of
from volr.checks.arrays import real_array
from volr.errors import ModelError, VolrError
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.models.parameters import bias_name, fixed_weights, parameter_shapes, weight_name

if TYPE_CHECKING:
    from volr.checks.arrays import Floats
    from volr.models.activations import Activation
    from volr.network import Network

_OF_NORMALISATION = ("running_mean", "running_var", "num_batches_tracked")
_MOST = 30


def load_state(network: Network, state: object, activation: Activation = ReLU()) -> ArtificialModel:
    """The model of a network with the numbers of a state dict, as PyTorch saves one.

    They are paired by their shapes and in their order: each layer takes the next weight, and the
    next bias where the state has one for it. Biases that the state lacks are 0. Raises
    ``ModelError`` with everything that does not pair.
    """
    arguments.check_network("load_state", network)
    if not isinstance(state, Mapping):
        raise VolrError(
            f"load_state: state is {shown(state)}, {type_of(state)} and not a state dict",
            help="`module.state_dict()` gives one",
        )
    named = cast("Mapping[str, Any]", state)
    given = [(str(name), _array(str(name), each)) for name, each in named.items()]
    normalised = [name for name, _ in given if name.endswith(_OF_NORMALISATION)]
    if normalised:
        raise ModelError(
            f"the state has the statistics of a normalisation, {', '.join(normalised[:3])}",
            help="volr.import_torch makes them part of the weights",
        )
    shapes = parameter_shapes(network)
    biases = {bias_name(each) for each in network.layers}
    values: dict[str, Floats] = {
        name: np.ones(shape) for name, shape in shapes.items() if name in fixed_weights(network)
    }
    rows: list[str] = []
    wrong = False
    for name in _in_order(network):
        if name not in shapes or name in values:
            continue
        theirs, found = given[0] if given else ("", None)
        # A layer without a bias may stand before a PReLU, which has a weight by unit.
        other = name in biases and theirs.rpartition(".")[2].startswith("weight")
        if found is not None and found.shape == shapes[name] and not other:
            values[name] = found
            rows.append(f"  {name} {list(shapes[name])} is {theirs}")
            given.pop(0)
        elif name in biases:
            values[name] = np.zeros(shapes[name])
            rows.append(f"  {name} {list(shapes[name])} is 0")
        else:
            wrong = True
            next_one = f"{theirs} {list(found.shape)}" if found is not None else "nothing more"
            rows.append(f"  {name} {list(shapes[name])}: the state has {next_one}")
            break
    rows += [f"  {name} {list(each.shape)} is left over" for name, each in given[wrong:]]
    if wrong or given:
        more = [f"  … and {len(rows) - _MOST:,} more"] if len(rows) > _MOST else []
        raise ModelError(
            "the state does not pair with the network:\n" + "\n".join(rows[:_MOST] + more),
            help="weights have the shapes that PyTorch gives them, and stand in the order of the "
            "program; volr.import_torch needs no program",
        )
    return ArtificialModel(network, values, activation)


def _in_order(network: Network) -> list[str]:
    """The names of parameters as a module has them: the weights of a layer, then its biases."""
    found: list[str] = []
    for population in network.layers:
        found += [weight_name(each) for each in network.incoming[population.name]]
        found.append(bias_name(population))
    return found


def _array(name: str, given: Any) -> Floats:
    try:
        return real_array(given)
    # PyTorch has a NotImplementedError for what is on the device meta.
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"{name} of the state is {' '.join(shown(given).split())}, {type_of(given)} and no "
            "array of numbers"
        ) from error
