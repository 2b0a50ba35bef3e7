"""The PyTorch back end: equal to the reference, and an ordinary module."""

from __future__ import annotations

import copy
import importlib.util
import io
import itertools
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tests.oracles import chain, fork, random_parameters
from tests.strategies import programs

from volr.backends.reference import forward
from volr.backends.refusals import check_supported, require
from volr.backends.torch import TORCH, module_from, to_parameters
from volr.backends.torch.module import NetworkModule, our_name, torch_name
from volr.backends.torch.plan import logits, plan_of, walk
from volr.errors import DataError, MissingError
from volr.language import to_network
from volr.models.activations import ACTIVATIONS, ReLU, Sigmoid, Tanh
from volr.models.model import ArtificialModel
from volr.network import Network, Population, Projection

if TYPE_CHECKING:
    from torch import Tensor

    from volr.checks.arrays import Floats
    from volr.models.activations import Activation

FORK = fork(4, 3, 6, 5)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Any feed-forward graph of up to eight populations, projections and outputs in any order."""
    count = draw(st.integers(2, 8))
    inputs = draw(st.integers(1, min(3, count - 1)))
    names = [f"p{index}" for index in range(count)]
    sizes = draw(st.lists(st.integers(1, 6), min_size=count, max_size=count))
    projections: list[Projection] = []
    for index in range(inputs, count):
        sources = draw(st.lists(st.integers(0, index - 1), min_size=1, max_size=3, unique=True))
        projections += [Projection(names[source], names[index]) for source in sources]
    used = {projection.source for projection in projections}
    unused = [name for name in names if name not in used]
    more = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    return Network(
        populations=tuple(Population(n, (size,)) for n, size in zip(names, sizes, strict=True)),
        projections=tuple(draw(st.permutations(projections))),
        inputs=tuple(draw(st.permutations(names[:inputs]))),
        outputs=tuple(draw(st.permutations(list(dict.fromkeys([*unused, *more]))))),
    )


def model_of(graph: Network, activation: Activation = ReLU(), seed: int = 0) -> ArtificialModel:
    rng = np.random.default_rng(seed)
    values = random_parameters(graph, rng, weight=0.5, bias=0.3)
    return ArtificialModel(graph, values, activation)


def stimuli_for(graph: Network, batch: int = 5, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).random((batch, graph.input_size))


@given(
    networks() | programs().map(lambda program: to_network(program.source)),
    st.sampled_from(ACTIVATIONS),
    st.integers(0, 2**32 - 1),
)
def test_any_network_equals_the_reference(
    graph: Network, activation: Activation, seed: int
) -> None:
    model = model_of(graph, activation, seed)
    stimuli = stimuli_for(graph, seed=seed)
    expected = forward(model, stimuli)
    size = 1.0 + np.abs(expected).max()
    with torch.no_grad():
        exact = module_from(model, dtype=torch.float64)(torch.tensor(stimuli)).numpy()
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact, expected, rtol=0, atol=1e-12 * size)
    check_supported(TORCH, model)
    np.testing.assert_allclose(TORCH.build(model)(stimuli), expected, rtol=0, atol=1e-5 * size)


@given(networks(), st.sampled_from(ACTIVATIONS))
def test_a_stack_of_candidates_equals_one_after_the_other(
    graph: Network, activation: Activation
) -> None:
    models = [model_of(graph, activation, seed) for seed in range(3)]
    stimuli = stimuli_for(graph)
    names = list(models[0].parameters)
    together = {n: torch.tensor(np.stack([m.parameters[n] for m in models])) for n in names}
    expanded = torch.tensor(stimuli).expand(3, *stimuli.shape)
    found = logits(plan_of(graph, activation), together, expanded).numpy()
    expected = np.stack([forward(model, stimuli) for model in models])
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_ten_thousand_layers_run_forward_and_backward() -> None:
    deep = chain(*[2, 3] * 5_000, 2)
    model = model_of(deep, Tanh())
    module = module_from(model, dtype=torch.float64)
    stimuli = stimuli_for(deep)
    z = module(torch.tensor(stimuli))
    np.testing.assert_allclose(z.detach().numpy(), forward(model, stimuli), rtol=1e-9, atol=1e-9)
    z.sum().backward()
    assert getattr(module, f"{deep.outputs[0]}:bias").grad.tolist() == [5.0, 5.0]


def test_activations_are_not_held_longer_than_needed() -> None:
    module = module_from(model_of(chain(*[2] * 20)))
    alive: list[int] = []
    kept: list[weakref.ref[Tensor]] = []
    with torch.no_grad():
        for _, _, active in walk(module.plan, module.named_values(), torch.rand(3, 2)):
            kept.append(weakref.ref(active))
            alive.append(sum(each() is not None for each in kept))
            del active
    assert max(alive) <= 3


def test_parameters_have_our_names_and_shapes() -> None:
    module = module_from(model_of(FORK))
    shapes = {name: list(value.shape) for name, value in module.state_dict().items()}
    assert shapes == {
        "input->dense_1:weight": [3, 4],
        "input->dense_2:weight": [6, 4],
        "dense_1->dense_3:weight": [5, 3],
        "dense_2->dense_3:weight": [5, 6],
        "dense_1:bias": [3],
        "dense_2:bias": [6],
        "dense_3:bias": [5],
    }
    assert all(value.dtype == torch.float32 for value in module.parameters())


@given(st.text(alphabet=".:%23AE5->ab"))
def test_names_go_both_ways(name: str) -> None:
    assert "." not in torch_name(name)
    assert our_name(torch_name(name)) == name


def test_populations_may_be_called_anything() -> None:
    names = ("a.b", "a:b", "a%3Ab", "forward", "training", "_parameters")
    graph = Network(
        populations=tuple(Population(name, (2,)) for name in names),
        projections=tuple(Projection(a, b) for a, b in itertools.pairwise(names)),
        inputs=names[:1],
        outputs=names[-1:],
    )
    model = model_of(graph)
    parameters = to_parameters(module_from(model, dtype=torch.float64))
    assert list(parameters) == list(model.parameters)
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(parameters[name], value)


def test_state_dict_round_trip() -> None:
    module = module_from(model_of(FORK, Sigmoid()), dtype=torch.float64)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other = NetworkModule(FORK, Sigmoid(), dtype=torch.float64, seed=9)
    stimuli = torch.tensor(stimuli_for(FORK))
    assert not torch.equal(other(stimuli), module(stimuli))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(stimuli), module(stimuli))


def test_it_is_an_ordinary_module() -> None:
    module = module_from(model_of(FORK))
    assert {each.dtype for each in copy.deepcopy(module).to(torch.float64).parameters()} == {
        torch.float64
    }
    assert repr(module) == ("NetworkModule(4 -> 5, populations=4, projections=4, activation=relu)")
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    before = to_parameters(module)
    module(torch.rand(3, 4)).square().sum().backward()
    optimizer.step()
    after = to_parameters(module)
    assert all((before[name] != after[name]).any() for name in before)
    with pytest.raises(ValueError, match="read-only"):
        after["dense_1.bias"][0] = 1.0


def test_a_new_module_begins_as_linear_layers_do_and_leaves_the_random_state_alone() -> None:
    state = torch.get_rng_state()
    one, same, other = (NetworkModule(fork(2, 300, 700, 40), seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in one.named_values().items():
        assert torch.equal(value, same.named_values()[name])
        assert not torch.equal(value, other.named_values()[name])
    for block in ("dense_1->dense_3.weight", "dense_2->dense_3.weight"):
        largest = one.named_values()[block].abs().max().item()
        assert 0.99 < largest * 1000**0.5 <= 1.0


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)])
def test_stimuli_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"the network takes \[batch, 4\]"):
        TORCH.build(model_of(FORK))(np.zeros(shape))


def test_logits_are_the_callers_own() -> None:
    run = TORCH.build(model_of(FORK))
    stimuli = stimuli_for(FORK)
    first = run(stimuli)
    assert first.dtype == np.float64
    expected = first.copy()
    first[:] = 0.0
    np.testing.assert_array_equal(run(stimuli), expected)


def test_without_pytorch_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    with pytest.raises(MissingError) as caught:
        require(TORCH)
    assert caught.value.help == "pip install 'volr[torch]'"
    with pytest.raises(MissingError, match="torch needs torch"):
        module_from(model_of(FORK))


@pytest.mark.parametrize("module", ["volr.backends.torch", "volr.training"])
def test_importing_the_record_does_not_import_pytorch(module: str) -> None:
    program = f"import sys, {module}; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"
