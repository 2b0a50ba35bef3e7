"""Mistakes with a staircase: what a back end may have made of it.

Each suspect is the reference's program with one mistake. If its outputs are those of the back end,
this mistake is the cause.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from volr.backends.reference import program_of
from volr.errors import ModelError
from volr.models.activations import (
    AS_GIVEN,
    Identity,
    Staircase,
    activate,
    input_formula,
    input_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volr.backends.reference import Program
    from volr.models.activations import Activation
    from volr.models.model import ArtificialModel


def staircase_suspects(model: ArtificialModel) -> Iterator[tuple[str, Program]]:
    """The mistakes in words, and the programs with them; none for another activation."""
    right = model.activation
    if not isinstance(right, Staircase):
        return
    program, formula = program_of(model), input_formula(right)
    yield (
        f"inputs: they send {AS_GIVEN}, not {formula}",
        replace(program, taken=partial(input_values, Identity())),
    )
    for other in _near(right, levels=True):
        taken = partial(input_values, other)
        said = f"inputs: they send {input_formula(other)}, not {formula}"
        yield said, replace(program, taken=taken)
    for other in (*_near(right, levels=True), *_near(right, levels=False)):
        said = f"staircase: {other.levels} levels, step {other.step}"
        yield said, _with_activation(program, other, None)
    for step in program.steps:
        if step.sends and model.activation_of(step.name) == right:
            said = f"staircase: that of {step.name} is missing"
            yield said, _with_activation(program, Identity(), step.name)


def _near(right: Staircase, *, levels: bool) -> Iterator[Staircase]:
    for more in (1, -1):
        try:
            if levels:
                yield replace(right, levels=right.levels + more)
            else:
                yield replace(right, step=right.step + 2 * more)
        except ModelError:
            continue


def _with_activation(program: Program, activation: Activation, name: str | None) -> Program:
    """The program with another staircase, or with another activation of one population."""
    function = partial(activate, activation)
    steps = (
        replace(each, activation=function)
        if each.name == name or (name is None and not each.takes_largest)
        else each
        for each in program.steps
    )
    return replace(program, steps=tuple(steps))
