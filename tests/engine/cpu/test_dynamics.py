"""From a neuron model to numbers: against its equations, and against the memory that is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
from tests.engine.examples import NEURONS
from tests.engine.populations import population

from volr.engine.cpu.buffers import bytes_per_value, empty_memory
from volr.engine.cpu.dynamics import lift_of, quadrature
from volr.engine.schedule import Layer
from volr.neurons import IFCondExp, IFCurrExp

neurons = pytest.mark.parametrize("kind", NEURONS)


def test_weights_are_kept_apart_where_their_currents_decay_apart() -> None:
    found = {kind: neuron.channels for kind, neuron in NEURONS.items()}
    assert found == {"delta": (0,), "exp": (0,), "exp two decays": (1, -1), "cond": (1, -1)}
    assert IFCurrExp(tau_syn_E=3.0, tau_syn_I=3.0).channels == (0,)
    # Even then they pull to different potentials.
    assert IFCondExp(tau_syn_E=3.0, tau_syn_I=3.0).channels == (1, -1)


@neurons
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_is_as_large_as_is_said_and_of_one_type(kind: str, dtype: type[Any]) -> None:
    layer, kept = Layer("one", 4, (), "", NEURONS[kind], spiking=True), np.dtype(dtype)
    memory = empty_memory(layer, 60, 12, kept)
    arrays = {id(each): each for each in (*memory.drives, memory.membrane, memory.state)}
    assert sum(each.nbytes for each in arrays.values()) == 60 * bytes_per_value(layer, kept)
    assert {each.dtype for each in (*memory.drives, memory.membrane, memory.total)} == {kept}
    assert memory.total.shape == (12,)


@neurons
def test_a_part_of_a_memory_is_the_same_memory(kind: str) -> None:
    # Five stimuli of three steps and four neurons.
    memory = empty_memory(
        Layer("one", 4, (), "", NEURONS[kind], spiking=True), 60, 20, np.dtype(np.float64)
    )
    part = memory.part(1, 3, 12, 4)
    for number, (whole, cut, size) in enumerate(
        [
            *((a, b, 12) for a, b in zip(memory.drives, part.drives, strict=True)),
            (memory.membrane, part.membrane, 12),
            (memory.state, part.state, 12),
            (memory.total, part.total, 4),
        ]
    ):
        whole[:] = 100
        cut[:] = number
        assert (whole[size : 3 * size] == number).all()
        assert (np.delete(whole, np.s_[size : 3 * size]) == 100).all()
    assert (part.membrane is part.drives[0]) == (memory.membrane is memory.drives[0])


@neurons
def test_a_constant_current_lifts_the_membrane_to_the_closed_form(kind: str) -> None:
    given = population(kind, spiking=False)
    silent = tuple(np.zeros_like(each) for each in given.drives)
    alone = type(given)(given.schedule, silent, given.currents)
    neuron, dt = given.neuron, given.schedule.dt
    time = dt * np.arange(1, given.schedule.steps + 1)[:, None]
    goal = neuron.resistance * (neuron.i_offset + given.currents)
    expected = goal * (1 - np.exp(-time / neuron.tau_m))
    found = alone.in_time(alone.after_run().membrane)
    for stimulus in range(given.shape[1]):
        np.testing.assert_allclose(found[:, stimulus], expected, rtol=1e-12)
    np.testing.assert_allclose(
        lift_of(given.neuron, given.schedule.dt),
        1 / neuron.cm if kind == "cond" else (1 - np.exp(-dt / neuron.tau_m)) * neuron.resistance,
    )


def test_the_numbers_of_the_quadrature_are_integrals_over_the_step() -> None:
    neuron, dt = IFCondExp(tau_m=15.0, cm=0.8, tau_syn_E=2.0, tau_syn_I=9.0, e_rev_E=10.0), 0.5
    numbers = quadrature(neuron, dt)
    assert len(numbers) == 23
    taus = np.array([2.0, 9.0])
    decays = np.exp(-dt / taus)
    np.testing.assert_allclose(numbers[:5], [1 / 15.0, 75.0, -5.0, *decays])
    nodes, weights = np.polynomial.legendre.leggauss(2)
    times = [0.0, *(dt * (1 + nodes) / 2)]
    for at, weight, first in zip(times, [0.0, *(weights / 2)], (5, 11, 17), strict=True):
        grid = np.linspace(at, dt, 10_001)
        integrals = [np.trapezoid(np.exp(-grid / tau) / 0.8, grid) for tau in taus]
        expected = [weight * dt, *(np.exp(-at / taus) / 0.8), (dt - at) / 15.0, *integrals]
        np.testing.assert_allclose(numbers[first : first + 6], expected, rtol=1e-8)
