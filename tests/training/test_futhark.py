"""Training in Futhark: PyTorch's updates, and the same course from beginning to end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.needs import skip_without

torch = pytest.importorskip("torch")
pytest.importorskip("futhark_ffi")
skip_without("futhark", "cc")

from tests.backends import kernels
from tests.oracles import chain, random_parameters
from torch.nn import functional

from volr.backends.futhark import library_of
from volr.backends.futhark.parameter_vector import flattened, unflattened
from volr.backends.reference import forward
from volr.errors import BackendError, TrainingError
from volr.experiments.datasets.logic import load_logic, xor
from volr.models.activations import ReLU, Sigmoid, Tanh
from volr.models.samples import Samples
from volr.training import TrainingSettings, minibatches, train_ann

if TYPE_CHECKING:
    from volr.models.model import ArtificialModel
    from volr.training import Training

SMALL = chain(3, 5, 4)
SHORT = TrainingSettings(epochs=4, batch_size=16, candidates=1)


def clouds(count: int) -> Samples:
    """Overlapping clouds around random centres."""
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 4, count)
    centres = rng.random((4, 3))
    return Samples(np.clip(centres[labels] + rng.normal(0, 0.25, (count, 3)), 0, 1), labels)


def in_futhark(
    samples: Samples, settings: TrainingSettings, **more: Any
) -> Training[ArtificialModel]:
    return train_ann(SMALL, samples, settings, on="futhark", **more)


# The entry point, what it takes beside rates, how many vectors it remembers, and PyTorch's words.
OPTIMIZERS: dict[str, tuple[str, list[float], int, Any, dict[str, float]]] = {
    "plain": ("train", [], 0, torch.optim.SGD, {}),
    "momentum": (
        "train_momentum",
        [0.9, 0.01],
        1,
        torch.optim.SGD,
        {"momentum": 0.9, "weight_decay": 0.01},
    ),
    "adam": ("train_adam", [0.05], 2, torch.optim.AdamW, {"weight_decay": 0.05}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_pytorchs(name: str) -> None:
    entry, arguments, remembered, optimizer_of, words = OPTIMIZERS[name]
    values = random_parameters(SMALL, np.random.default_rng(1), weight=0.5, bias=0.2)
    samples = clouds(70)
    order = np.random.default_rng(2).permutation(70)
    rates = np.linspace(0.1, 0.02, 5).astype(np.float32)

    theirs = {key: torch.tensor(value, requires_grad=True) for key, value in values.items()}
    optimizer = optimizer_of(list(theirs.values()), lr=1.0, **words)
    total = 0.0
    for index, rate in enumerate(rates):
        drawn = order[16 * index : 16 * (index + 1)]
        x, labels = torch.tensor(samples.inputs[drawn]), torch.tensor(samples.labels[drawn])
        hidden = functional.linear(x, theirs["input->dense_1.weight"], theirs["dense_1.bias"])
        z = functional.linear(
            torch.relu(hidden), theirs["dense_1->dense_2.weight"], theirs["dense_2.bias"]
        )
        loss = functional.cross_entropy(z, labels)
        total += loss.item() * len(drawn)
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    library = library_of(SMALL, ReLU(), "cross_entropy")
    vector = flattened(SMALL, values)
    rest = np.zeros(remembered * len(vector) + (name != "plain") + (name == "adam"))
    state = np.concatenate([vector, rest]).astype(np.float32)
    given = (samples.inputs.astype(np.float32), samples.labels)
    # In two calls, of which the second goes on where the first one ended.
    for part in (slice(0, 2), slice(2, 5)):
        drawn = order[16 * part.start : 16 * part.stop]
        held = library.call(entry, state, *given, drawn, 16, rates[part], *arguments)
        state = library.array(held)
    found = unflattened(SMALL, state)
    for key, value in theirs.items():
        np.testing.assert_allclose(found[key], value.detach().numpy(), rtol=0, atol=1e-5)
        assert np.abs(found[key] - values[key]).max() > 1e-2
    if name != "plain":
        assert state[-1] == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        SHORT,
        replace(SHORT, optimizer="sgd", schedule="constant"),
        replace(SHORT, optimizer="sgd", momentum=0.9, weight_decay=0.01, validation=0.0),
        replace(SHORT, loss="mse", activation=Sigmoid(), validation=0.3, seed=3),
        replace(SHORT, candidates=5, seed=2),
    ],
    ids=["adam", "sgd", "momentum", "mse", "candidates"],
)
def test_the_same_course_as_on_pytorch(settings: TrainingSettings) -> None:
    samples = clouds(150)
    assert_same(in_futhark(samples, settings), train_ann(SMALL, samples, settings))


def test_a_probation_may_end_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if candidates cost much: three epochs of nine updates, and a choice after 13.
    monkeypatch.setattr(minibatches, "OVERHEAD", 1.0)
    monkeypatch.setattr(minibatches, "EXTRA", 1.5)
    settings = replace(SHORT, epochs=3, candidates=4)
    samples = clouds(150)
    found = in_futhark(samples, settings)
    assert (found.candidates, found.probation) == (4, 13)
    assert_same(found, train_ann(SMALL, samples, settings))


def assert_same(found: Training[ArtificialModel], wanted: Training[ArtificialModel]) -> None:
    assert (found.kept_epoch, found.candidate) == (wanted.kept_epoch, wanted.candidate)
    assert (found.candidates, found.probation) == (wanted.candidates, wanted.probation)
    assert found.dead == wanted.dead
    assert len(found.history) == len(wanted.history)
    for ours, theirs in zip(found.history, wanted.history, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-4)
        if theirs.validation_loss is None:
            assert ours.validation_loss is None
        else:
            assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-4)
        assert ours.validation_accuracy == theirs.validation_accuracy
    for name, value in wanted.model.parameters.items():
        np.testing.assert_allclose(found.model.parameters[name], value, rtol=0, atol=1e-4)


def test_xor_is_learnt() -> None:
    data = load_logic(xor, 0)
    # With the network of the other tests, which is compiled: it has an input more.
    inputs = np.pad(data.train.inputs, ((0, 0), (0, 1)))
    trained = in_futhark(Samples(inputs, data.train.labels), TrainingSettings())
    z = forward(trained.model, np.pad(data.test.inputs, ((0, 0), (0, 1))))
    assert np.mean(z.argmax(axis=1) == data.test.labels) == 1.0


def test_the_same_seed_gives_the_same_parameters() -> None:
    one, same, other = (
        in_futhark(clouds(100), replace(SHORT, seed=seed)).model.parameters for seed in (5, 5, 6)
    )
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
        assert (one[name] != other[name]).any()


def test_progress_is_told_and_patience_ends() -> None:
    told: list[tuple[int, int, float, float | None]] = []

    def tell(epoch: int, of: int, loss: float, accuracy: float | None) -> None:
        told.append((epoch, of, loss, accuracy))

    settings = replace(SHORT, epochs=200, learning_rate=0.02, schedule="constant", patience=5)
    trained = in_futhark(clouds(200), settings, progress=tell)
    assert told == [
        (number, 200, each.loss, each.validation_accuracy)
        for number, each in enumerate(trained.history, 1)
    ]
    assert len(told) == trained.kept_epoch + 5 < 200


def test_an_interruption_ends_it_and_the_next_training_is_as_ever() -> None:
    wanted = in_futhark(clouds(100), SHORT).model.parameters

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_futhark(clouds(100), SHORT, progress=stop)
    for name, value in in_futhark(clouds(100), SHORT).model.parameters.items():
        np.testing.assert_array_equal(value, wanted[name])


@pytest.mark.parametrize("rate", [1e30, 1e300])
@pytest.mark.parametrize("candidates", [1, 4])
def test_divergence_is_an_error(rate: float, candidates: int) -> None:
    settings = replace(SHORT, optimizer="sgd", learning_rate=rate, candidates=candidates)
    with pytest.raises(TrainingError, match="training diverged in epoch 1") as caught:
        in_futhark(clouds(100), settings)
    assert caught.value.help == f"lower the learning rate, which is {rate:g}"


def test_dead_neurons_are_counted() -> None:
    # Biases that one long step takes far below what weights can make up for.
    settings = replace(SHORT, epochs=1, optimizer="sgd", learning_rate=300.0, validation=0.0)
    trained = in_futhark(clouds(16), settings)
    model = trained.model
    z = clouds(16).inputs @ model.parameters["input->dense_1.weight"].T
    alive = (z + model.parameters["dense_1.bias"] > 0).any(axis=0)
    assert 0 < (~alive).sum() < 5
    assert trained.dead == {"dense_1": (~alive).sum()}


def test_a_back_end_that_does_not_train_is_refused() -> None:
    with pytest.raises(BackendError, match="no training back end 'futark'") as caught:
        train_ann(SMALL, clouds(50), SHORT, on="futark")  # type: ignore[arg-type]
    assert caught.value.help == "did you mean 'futhark'? choose one of torch, futhark"


def test_it_needs_no_pytorch() -> None:
    code = """
import sys
sys.modules["torch"] = None
import numpy as np, volr
from volr.training import TrainingSettings
x = np.random.default_rng(0).random((40, 3))
samples = volr.Samples(x, (x[:, 0] > 0.5).astype(int))
network = volr.to_network("dense 3 5 ⦶ dense 5 4")
print(len(volr.train_ann(network, samples, TrainingSettings(epochs=2), on="futhark").history))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "2\n"


def test_kernels_are_trained_as_on_pytorch() -> None:
    network = kernels.LEARNING
    random = np.random.default_rng(4)
    inputs = random.random((60, network.input_size))
    samples = Samples(inputs, inputs[:, :39].reshape(60, 3, 13).sum(axis=2).argmax(axis=1))
    settings = replace(SHORT, activation=Tanh())
    ours, theirs = (
        train_ann(network, samples, settings, on=trainer) for trainer in ("futhark", "torch")
    )
    for name, value in theirs.model.parameters.items():
        np.testing.assert_allclose(ours.model.parameters[name], value, rtol=0, atol=1e-4)
    for one, other in zip(ours.history, theirs.history, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
