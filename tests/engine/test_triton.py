"""The fused kernels against the loop in PyTorch: on CUDA, or in Triton's interpreter without it."""

from __future__ import annotations

import itertools
import math
import os
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")
import torch

CUDA = torch.cuda.is_available()
if not CUDA:
    os.environ["TRITON_INTERPRET"] = "1"  # read when the kernels are first imported
pytest.importorskip("triton", reason="the fused kernels need Triton, which is optional")

from volr.engine.gpu.matrices import recurrence, respond
from volr.engine.schedule import Layer, Schedule, Term
from volr.engine.surrogates import SHAPES, Shape, Surrogate
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, NeuronModel, Reset

if TYPE_CHECKING:
    from torch import Tensor

DEVICE = "cuda" if CUDA else "cpu"
STEPS, BATCH, UNITS = 13, 5, 17  # more cells than one block, and not a multiple of it


def neuron(kind: str, reset: Reset, tau_refrac: float) -> NeuronModel:
    common = {"v_reset": -63.0, "i_offset": 0.1, "tau_refrac": tau_refrac}
    match kind:
        case "delta":
            return IFCurrDelta(**common, reset=reset)
        case "exp":
            return IFCurrExp(**common, reset=reset)
        case "exp two decays":
            return IFCurrExp(**common, reset=reset, tau_syn_E=3.0, tau_syn_I=7.0)
        case _:
            return IFCondExp(**common, reset=reset, tau_syn_E=3.0, tau_syn_I=7.0)


# What drives each, in the unit of its weights; the second channel is inhibition.
DRIVES = {"delta": (8.0,), "exp": (4.0,), "exp two decays": (4.0, -2.0), "cond": (0.06, 0.05)}
CASES = [
    (reset, tau_refrac, spiking, shape, window)
    for (reset, tau_refrac, spiking), (shape, window) in zip(
        itertools.product(("hard", "subtract"), (0.0, 0.5, 1.5, 30.0), (True, False)),
        itertools.cycle([*zip(SHAPES, (None, 5, 1, 4), strict=True), ("atan", None)]),
        strict=False,
    )
]


# The interpreter is slow, and the kernels' code is the same for both types: single precision has
# every third case, which are of both resets, with and without spikes and a refractory time.
@pytest.mark.parametrize("kind", DRIVES)
@pytest.mark.parametrize(
    ("dtype", "reset", "tau_refrac", "spiking", "shape", "window"),
    [(torch.float64, *case) for case in CASES]
    + [(torch.float32, *case) for case in CASES[:: 1 if CUDA else 3]],
)
def test_the_fused_kernels_do_what_the_loop_does(
    kind: str,
    dtype: torch.dtype,
    reset: Reset,
    tau_refrac: float,
    spiking: bool,
    shape: Shape,
    window: int | None,
) -> None:
    model, surrogate = neuron(kind, reset, tau_refrac), Surrogate(shape, 0.7)
    torch.manual_seed(0)
    size = (STEPS, BATCH, UNITS)
    drives = [scale * (0.3 + torch.randn(size)) for scale in DRIVES[kind]]
    if len(model.channels) == 2:
        drives = [scale * torch.rand(size) for scale in DRIVES[kind]]
    current = 0.3 + 0.3 * torch.randn(UNITS)
    by_spikes, by_v = torch.randn(size), torch.randn(size)
    found: list[list[Tensor]] = []
    for fused in (False, True):
        given = [each.to(DEVICE, dtype).requires_grad_() for each in (*drives, current)]
        spikes, v = recurrence(
            model,
            0.5,
            given[:-1],
            given[-1],
            spiking=spiking,
            surrogate=surrogate,
            window=window,
            fused=fused,
        )
        loss = (by_v.to(v) * v).sum()
        if spiking:
            loss = loss + (by_spikes.to(v) * spikes).sum()
        gradients = torch.autograd.grad(loss, given, materialize_grads=True)
        found.append([spikes.detach(), v.detach(), *gradients])
    assert spiking == bool(found[0][0].any())
    assert torch.equal(found[0][0], found[1][0])
    # A GPU's exponential differs from PyTorch's in the last bits of float32.
    tolerance = 1e-12 if dtype == torch.float64 else 1e-4 if CUDA else 1e-5
    for loop, kernel in zip(*found, strict=True):
        torch.testing.assert_close(kernel, loop, rtol=tolerance, atol=10 * tolerance)


def test_a_network_learns_the_same_through_them() -> None:
    # Spikes and membranes go into the loss one at a time here: not every derivative is given.
    neuron = IFCurrExp(tau_syn_E=3.0, tau_syn_I=7.0)

    def from_input(size: int, weight: str) -> Term:
        return Term("input", weight, ((6,), (size,)), delay=2)

    schedule = Schedule(
        inputs=(("input", 6),),
        layers=(
            Layer("dense_1", 9, (from_input(9, "w1"),), "b1", neuron, spiking=True),
            Layer(
                "dense_2",
                4,
                (Term("dense_1", "w2", ((9,), (4,)), delay=2), from_input(4, "w3")),
                "b2",
                neuron,
                spiking=False,
            ),
        ),
        outputs=("dense_2",),
        input_neuron=neuron,
        dt=0.5,
        steps=24,
    )
    torch.manual_seed(1)
    shapes = {"w1": (9, 6), "w2": (4, 9), "w3": (4, 6), "b1": (9,), "b2": (4,)}
    values = {n: 2 * torch.randn(s, dtype=torch.float64) + 0.5 for n, s in shapes.items()}
    spikes = torch.rand(24, 3, 6) < 0.3
    found: list[dict[str, Tensor]] = []
    for fused in (False, True):
        given = {n: v.to(DEVICE).requires_grad_() for n, v in values.items()}
        response = respond(schedule, given, spikes, window=10, fused=fused)
        assert response.counts["dense_1"].any()
        loss = response.membranes["dense_2"].square().sum() + response.counts["dense_1"].sum()
        gradients = torch.autograd.grad(loss, list(given.values()))
        found.append(dict(zip(given, gradients, strict=True)))
    for name, gradient in found[0].items():
        assert gradient.any()
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-11, atol=1e-11)


def test_what_was_run_without_derivatives_has_them_later() -> None:
    # Tensors made in inference mode cannot be kept for the way back.
    neuron, surrogate = IFCurrDelta(tau_m=17.0), Surrogate()
    given = torch.full((5, 2, 3), 9.0, device=DEVICE)
    current = torch.zeros(3, device=DEVICE)
    for mode in (torch.inference_mode, torch.enable_grad):
        with mode():
            drive = given.clone().requires_grad_()
            spikes, _ = recurrence(
                neuron,
                0.5,
                [drive],
                current,
                spiking=True,
                surrogate=surrogate,
                window=None,
                fused=True,
            )
            assert spikes.any()
            if mode is torch.enable_grad:
                assert torch.autograd.grad(spikes.sum(), drive)[0].any()


def test_no_stimuli_are_no_work() -> None:
    drive = torch.zeros(5, 0, 3, device=DEVICE, requires_grad=True)
    spikes, v = recurrence(
        IFCurrDelta(),
        0.5,
        [drive],
        torch.zeros(3, device=DEVICE),
        spiking=True,
        surrogate=Surrogate(),
        window=None,
        fused=True,
    )
    assert spikes.shape == v.shape == (5, 0, 3)
    (v.sum() + spikes.sum()).backward()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("reset", ["hard", "subtract"])
def test_charges_without_leak_reach_the_threshold_exactly(dtype: torch.dtype, reset: Reset) -> None:
    model = IFCurrDelta(
        v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=math.inf, tau_refrac=0.0, reset=reset
    )
    charges = torch.tensor([0.1, 1 / 3, 0.5, 0.3], dtype=dtype, device=DEVICE)
    drive = charges.expand(31, 2, 4).contiguous()
    spikes, _ = recurrence(
        model,
        1.0,
        [drive],
        torch.zeros(4, dtype=dtype, device=DEVICE),
        spiking=True,
        surrogate=Surrogate(),
        window=None,
        fused=True,
    )
    # Of 0.3, three tenths of the steps' charge are left over where the reset subtracts.
    wanted = [3, 10, 15, 7 if reset == "hard" else 9]
    assert spikes.sum(dim=0)[1].tolist() == wanted
    assert spikes[:, 0, 0].nonzero().ravel().tolist() == [9, 19, 29]
