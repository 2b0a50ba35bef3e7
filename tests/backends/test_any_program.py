"""What PyTorch, ONNX and Futhark make of any program with kernels, pools, sums and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.backends.staircases import all_shown, logits_of, staircase, stimuli_of, whole_model
from tests.oracles import random_parameters
from tests.shaped_programs import shaped_programs

from volr.backends.base import ArtificialBackend, Document
from volr.backends.expected import expected
from volr.backends.futhark import FUTHARK_PROGRAM
from volr.backends.onnx import ONNX, ONNX_FILE
from volr.backends.reference import REFERENCE, forward
from volr.backends.torch import TORCH
from volr.language import to_network
from volr.models.activations import ACTIVATIONS
from volr.models.model import ArtificialModel
from volr.verification.comparison import compare

if TYPE_CHECKING:
    from tests.shaped_programs import ShapedProgram

    from volr.models.activations import Activation


@settings(max_examples=40, deadline=None)
@given(shaped_programs(), st.sampled_from(ACTIVATIONS), st.integers(0, 2**32 - 1))
def test_any_program_runs_and_is_read_back(
    program: ShapedProgram, activation: Activation, seed: int
) -> None:
    network = to_network(program.source)
    assume(not any(each.back for each in network.projections))
    random = np.random.default_rng(seed)
    values = random_parameters(network, random, weight=0.4, bias=0.3)
    model = ArtificialModel(network, values, activation)
    stimuli = random.normal(size=(3, network.input_size))
    wanted = forward(model, stimuli)
    scale = float(np.abs(wanted).max(initial=1.0))
    targets: tuple[ArtificialBackend | Document, ...]
    targets = (REFERENCE, TORCH, ONNX, ONNX_FILE, FUTHARK_PROGRAM)
    for target in targets:
        if isinstance(target, Document):
            found = target.read_back(target.write(model))
        else:
            np.testing.assert_allclose(
                target.build(model)(stimuli), wanted, rtol=0, atol=1e-5 * scale
            )
            found = target.read_back(model)
        assert compare(expected(model, target.precision), found).differences == ()


@settings(max_examples=25, deadline=None)
@given(
    shaped_programs(),
    st.sampled_from([(2, 5), (7, 41), (32, 1001), (255, 101)]),
    st.integers(0, 2**32 - 1),
)
def test_any_program_computes_the_same_whole_numbers(
    program: ShapedProgram, activation: tuple[int, int], seed: int
) -> None:
    network = to_network(program.source)
    assume(not any(each.back for each in network.projections))
    model = whole_model(all_shown(network), staircase(*activation), seed)
    stimuli = stimuli_of(model, 3)
    wanted = logits_of(model, stimuli)
    for target in (REFERENCE, TORCH, ONNX):
        np.testing.assert_array_equal(target.build(model)(stimuli), wanted)
    for target in (TORCH, ONNX_FILE, FUTHARK_PROGRAM):
        if isinstance(target, Document):
            found = target.read_back(target.write(model))
        else:
            found = target.read_back(model)
        assert compare(expected(model, target.precision), found).differences == ()
