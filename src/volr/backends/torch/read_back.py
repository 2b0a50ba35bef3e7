"""The network that a module computes: its parameters, and what its forward pass does with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from volr.backends.probing import taken_as
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.backends.terms import added_up
from volr.backends.torch.chains import plain
from volr.backends.torch.module import NetworkModule, module_from, our_name
from volr.backends.torch.traced import Active, Block, Sum, Trace, TracedStep
from volr.backends.torch.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from volr.models.model import ArtificialModel


def read_back(model: ArtificialModel) -> ArtificialReadback:
    """What the module holds: its parameters, and what its forward pass does with them."""
    return contents(module_from(model))


def contents(module: NetworkModule) -> ArtificialReadback:
    """What a forward pass of the module does, operation by operation."""
    held = {id(each): our_name(name) for name, each in module.named_parameters()}
    stimuli = torch.zeros((1, module.network.input_size), dtype=_dtype_of(module))
    done = trace(module, stimuli)
    names = _names(done, held, dict(module.plan.inputs))

    def name_of(part: TracedStep) -> str:
        match part:
            case Block():
                return names[part]
            case Sum():
                return names[id(part)]
            case Active(sum=sums):
                return f"the activation of {names[id(sums)]}"

    inputs = sorted(done.blocks, key=lambda block: block.start)
    sizes = {name_of(block): block.size for block in inputs}
    sizes |= {name_of(each): math.prod(each.shape) for each in done.sums}
    sends = {name_of(each.term.read.source) for sums in done.sums for each in sums.terms}
    biases = {
        name_of(each): np.zeros(math.prod(each.shape)) if each.biases is None else each.biases
        for each in done.sums
    }
    return ArtificialReadback(
        populations=all_asked(sizes),
        inputs=Asked(tuple(map(name_of, inputs))),
        outputs=Asked(tuple(map(name_of, done.logits))),
        weights=all_asked(
            added_up(
                ((name_of(each.term.read.source), name_of(sums)), each.term.block())
                for sums in done.sums
                for each in sums.terms
            )
        ),
        biases=all_asked(biases),
        activations=all_asked(
            _taken(done, names, stimuli.dtype)
            | {
                name_of(each): each.activation
                for each in done.sums
                if each.activation is not None and name_of(each) in sends
            },
            "the function that the forward pass calls is tried with some numbers",
        ),
        merges=all_asked({name_of(each): each.merge for each in done.sums if each.merge != "sum"}),
        precision=precision_of(_numpy_type(each) for each in module.parameters()),
    )


def _taken(done: Trace, names: Mapping[Block | int, str], dtype: torch.dtype) -> dict[str, str]:
    """The formula of each input that does not send its stimulus as it is."""
    found: dict[str, str] = {}
    for block, chain in done.taken.items():
        found |= taken_as((names[block],), plain(chain, dtype))
    return found


def _names(
    done: Trace, held: Mapping[int, str], inputs: Mapping[str, int]
) -> dict[Block | int, str]:
    """The names of populations: of sums by their identity, and of the blocks of a stimulus.

    A sum has the name of its bias in the module, or, without one, of the weights that lead to it.
    """
    # An input that leads nowhere is in no parameter's name.
    names: dict[Block | int, str] = dict(zip(done.blocks, inputs, strict=False))
    for each in done.sums:
        for traced in each.terms:
            source, target = _ends(held[id(traced.origin)], held)
            names[id(each)] = target
            if isinstance(block := traced.term.read.source, Block):
                names[block] = source
        if each.bias is not None:
            names[id(each)] = held[id(each.bias)].removesuffix(".bias")
    return names


def _ends(weight: str, held: Mapping[int, str]) -> tuple[str, str]:
    """The source and the target in the name of weights, without the number of a projection."""
    source, _, target = weight.removesuffix(".weight").partition("->")
    first = target.rpartition("#")[0]
    is_numbered = first and f"{source}->{first}.weight" in held.values()
    return source, first if is_numbered else target


def _dtype_of(module: NetworkModule) -> torch.dtype:
    return next((each.dtype for each in module.parameters()), torch.float32)


def _numpy_type(values: Tensor) -> np.dtype[Any]:
    return values.detach().cpu().numpy().dtype
