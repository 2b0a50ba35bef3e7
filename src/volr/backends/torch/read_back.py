"""The network that a module computes: its parameters, and what its forward pass does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.backends.torch.module import NetworkModule, array_of, module_from, our_name
from volr.backends.torch.tracing import Active, Block, Sum, TracedStep, trace

if TYPE_CHECKING:
    import numpy as np
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
    # An input that leads nowhere is in no parameter's name.
    names: dict[Block | int, str] = dict(zip(done.blocks, dict(module.plan.inputs), strict=False))
    for each in done.sums:
        name = names[id(each)] = held[id(each.bias)].removesuffix(".bias")
        for source, weight in each.terms:
            if isinstance(source, Block):
                names[source] = held[id(weight)].removesuffix(f"->{name}.weight")

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
    sizes |= {name_of(each): len(each.bias) for each in done.sums}
    sends = {name_of(source) for each in done.sums for source, _ in each.terms}
    return ArtificialReadback(
        populations=all_asked(sizes),
        inputs=Asked(tuple(map(name_of, inputs))),
        outputs=Asked(tuple(map(name_of, done.logits))),
        weights=all_asked(
            {
                (name_of(source), name_of(each)): array_of(weight)
                for each in done.sums
                for source, weight in each.terms
            }
        ),
        biases=all_asked({name_of(each): array_of(each.bias) for each in done.sums}),
        activations=all_asked(
            {
                name_of(each): each.activation
                for each in done.sums
                if each.activation is not None and name_of(each) in sends
            },
            "the function that the forward pass calls is tried with some numbers",
        ),
        precision=precision_of(_numpy_type(each) for each in module.parameters()),
    )


def _dtype_of(module: NetworkModule) -> torch.dtype:
    return next((each.dtype for each in module.parameters()), torch.float32)


def _numpy_type(values: Tensor) -> np.dtype[Any]:
    return values.detach().cpu().numpy().dtype
