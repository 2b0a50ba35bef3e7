"""Mistakes with a staircase are found in what a back end holds, and by its outputs alone."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest
from tests.backends.conformance import TARGETS, need
from tests.backends.staircases import POOLS, all_shown, stimuli_of, whole_model

from volr.backends.expected import expected
from volr.backends.futhark import FUTHARK_PROGRAM
from volr.backends.onnx import ONNX_FILE
from volr.backends.reference import REFERENCE, contents, logits, program_of
from volr.language import to_network
from volr.models.activations import Activation, Identity, Staircase, activate, input_values
from volr.models.model import ArtificialModel
from volr.verification import compare
from volr.verification.outputs import artificial_behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends.base import Forward
    from volr.backends.readback import Readback
    from volr.backends.reference import Program
    from volr.checks.arrays import Floats

MODEL = whole_model(POOLS, Staircase(7, 41))
STEEP, FINE = Staircase(7, 43), Staircase(8, 41)
SMALL = to_network("conv [1 4 5] 3 2 ⦶ avgpool _ [1 2] ⦶ maxpool _ [2 1] ⦶ dense _ 3")
PASSING = "avgpool_3"
"""The population of means alone."""
WANTED = "staircase of 7 levels, step 41"
MISTAKES = {
    "step": {"conv_1": f"the activation staircase of 7 levels, step 43, expected {WANTED}"},
    "levels": {"conv_1": f"the activation staircase of 8 levels, step 41, expected {WANTED}"},
    "missing": {PASSING: f"the activation identity, expected {WANTED}"},
    "as given": {"input": "of a stimulus x it sends x, expected ⌊x · 7 + ½⌋"},
    "inputs": {"input": "of a stimulus x it sends ⌊x · 8 + ½⌋, expected ⌊x · 7 + ½⌋"},
    "half": {"input": "of a stimulus x it sends another, expected ⌊x · 7 + ½⌋"},
}
"""What is said of each mistake, by population."""


def reference(mistake: str, model: ArtificialModel = MODEL, passing: str = PASSING) -> Program:
    program = program_of(model)
    taken: dict[str, Callable[[Floats], Floats]] = {
        "as given": partial(input_values, Identity()),
        "inputs": partial(input_values, FINE),
        "half": lambda x: np.floor(7 * x),
    }
    of = {"step": ("conv_1", STEEP), "levels": ("conv_1", FINE), "missing": (passing, Identity())}
    if mistake in taken:
        return replace(program, taken=taken[mistake])
    name, activation = of[mistake]
    steps = (
        replace(each, activation=partial(activate, activation)) if each.name == name else each
        for each in program.steps
    )
    return replace(program, steps=tuple(steps))


def of_reference(mistake: str) -> Readback:
    return contents(reference(mistake))


def of_torch(mistake: str) -> Readback:
    from volr.backends.torch.module import module_from
    from volr.backends.torch.read_back import contents as held

    module = module_from(MODEL)
    plan = module.plan
    if mistake == "half":
        import torch

        name = "volr.backends.torch.plan.taken"

        def without_half(_: Activation, x: torch.Tensor) -> torch.Tensor:
            return torch.floor(x.to(torch.float64) * 7).to(x.dtype)

        with patch(name, without_half):
            return held(module)
    inputs = {"as given": Identity(), "inputs": FINE}
    of = {"step": ("conv_1", STEEP), "levels": ("conv_1", FINE), "missing": (PASSING, Identity())}
    if mistake in inputs:
        module.plan = replace(plan, activation=inputs[mistake])
    else:
        name, activation = of[mistake]
        steps = (
            replace(each, activation=activation) if each.target == name else each
            for each in plan.steps
        )
        module.plan = replace(plan, steps=tuple(steps))
    return held(module)


def of_onnx(mistake: str) -> Readback:
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(ONNX_FILE.write(MODEL)[".onnx"])
    graph = model.graph
    tensors = {each.name: each for each in graph.initializer}
    nodes = {each.name: each for each in graph.node}

    def another(name: str, value: Any, node: str, place: int) -> None:
        """Give one node a constant of its own."""
        like = numpy_helper.to_array(tensors[name])
        array = np.full(like.shape, value, dtype=like.dtype)
        graph.initializer.append(numpy_helper.from_array(array, f"{name}_another"))
        nodes[node].input[place] = f"{name}_another"

    match mistake:
        case "step":
            another("staircase_step", 43, "conv_1_quotient", 1)
        case "levels":
            another("staircase_most", 8, "conv_1", 2)
        case "missing":
            *chain, last = (
                nodes[f"{PASSING}{each}"] for each in ("_quotient", "_shifted", "_floor", "")
            )
            for each in chain:
                graph.node.remove(each)
            last.op_type = "Identity"
            del last.input[:]
            last.input.append(chain[0].input[0])
        case "inputs":
            another("staircase_levels", 8, "stimuli_scaled", 1)
        case "half":
            another("staircase_double_half", 0, "stimuli_shifted", 1)
        case _:
            names = (
                "stimuli_double",
                "stimuli_scaled",
                "stimuli_shifted",
                "stimuli_floor",
                "input",
            )
            for each in names:
                graph.node.remove(nodes[each])
            for node in graph.node:
                for place, name in enumerate(node.input):
                    if name == "input":
                        node.input[place] = "stimuli"
    return ONNX_FILE.read_back({".onnx": model.SerializeToString()})


def of_futhark(mistake: str) -> Readback:
    files = FUTHARK_PROGRAM.write(MODEL)
    text = files[".fut"].decode()
    changes = {
        "as given": ("map level x", "x"),
        "inputs": ("x * 7 + 0.5", "x * 8 + 0.5"),
        "half": ("x * 7 + 0.5", "x * 7 + 0"),
        "step": ("/ 41", "/ 43"),
        "levels": ("f32.min 7", "f32.min 8"),
    }
    if mistake == "missing":
        (before,) = re.findall(rf"let {PASSING} =\n(?:.*\n)+?  +\|> map_maps staircase", text)
        text = text.replace(before, before.replace("\n    |> map_maps staircase", ""))
    else:
        old, new = changes[mistake]
        assert old in text
        text = text.replace(old, new)
    return FUTHARK_PROGRAM.read_back({**files, ".fut": text.encode()})


READS = {
    "reference": of_reference,
    "torch": of_torch,
    "onnx file": of_onnx,
    "futhark file": of_futhark,
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", READS)
def test_a_mistake_is_found_in_what_is_held(name: str, mistake: str) -> None:
    need(TARGETS[name])
    found = compare(expected(MODEL, TARGETS[name].precision), READS[name](mistake))
    said = {each.where: each.message for each in found.differences if each.field == "activations"}
    if name == "futhark file" and mistake in ("step", "levels"):
        # One function for all populations.
        assert len(set(said.values())) == 1
        said = {"conv_1": said["conv_1"]}
    if mistake == "half":
        said = {place: re.sub(r"sends .*, ", "sends another, ", e) for place, e in said.items()}
    assert said == MISTAKES[mistake]


def small() -> ArtificialModel:
    """All is shown, and sums are so small that a step that is a little off is seen."""
    random = np.random.default_rng(3)
    weights = {"input->conv_1": (3, 1, 2, 2), "maxpool_3->dense_4": (3, 6)}
    values = {
        f"{name}.weight": random.integers(-9, 30, s).astype(np.float64)
        for name, s in weights.items()
    }
    values |= {
        f"{name}.bias": random.integers(-9, 9, 3).astype(np.float64)
        for name in ("conv_1", "dense_4")
    }
    # Means of two that are passed on; the largest is, too.
    values |= {"conv_1->avgpool_2.weight": np.full(1, 42.0)}
    values |= {"avgpool_2->maxpool_3.weight": np.ones(1)}
    return ArtificialModel(all_shown(SMALL), values, Staircase(7, 41))


CAUSES = {
    "step": "staircase: 7 levels, step 43",
    "levels": "staircase: 8 levels, step 41",
    "missing": "staircase: that of avgpool_2 is missing",
    "as given": "inputs: they send x, not ⌊x · 7 + ½⌋",
    "inputs": "inputs: they send ⌊x · 8 + ½⌋, not ⌊x · 7 + ½⌋",
}


@pytest.mark.parametrize("mistake", CAUSES)
def test_a_mistake_is_named_by_outputs_alone(mistake: str) -> None:
    model = small()
    program = reference(mistake, model, "avgpool_2")
    if mistake in ("step", "levels"):
        # In all populations.
        other = partial(activate, STEEP if mistake == "step" else FINE)
        steps = (
            each if each.takes_largest else replace(each, activation=other)
            for each in program.steps
        )
        program = replace(program, steps=tuple(steps))

    def build(_: ArtificialModel) -> Forward:
        return partial(logits, program)

    wrong = replace(REFERENCE, name="wrong", build=build)
    found = artificial_behaviour(model, wrong, stimuli_of(model))
    assert found.first_difference is not None
    assert found.first_difference.cause == CAUSES[mistake]


def test_outputs_have_to_be_the_same_whole_numbers() -> None:
    """The smallest difference, which would be a rounding error of another network."""
    program = program_of(MODEL)

    def build(_: ArtificialModel) -> Forward:
        return lambda stimuli: logits(program, stimuli) + 1e-9

    found = artificial_behaviour(MODEL, replace(REFERENCE, build=build), stimuli_of(MODEL))
    assert found.equal == 0
