"""Batch normalisation, against ``torch.nn.BatchNorm1d`` and equation (1) in NumPy; the fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from tests.oracles import chain, fork
from torch import nn

from volr.backends.reference import forward
from volr.backends.torch.plan import logits, plan_of
from volr.errors import TrainingError
from volr.experiments.datasets.logic import load_logic, xor
from volr.language import to_network
from volr.models.activations import ReLU
from volr.models.model import ArtificialModel
from volr.models.samples import Samples
from volr.training import TrainingSettings, train_ann, train_snn
from volr.training.artificial_learner import ArtificialLearner
from volr.training.normalisation import EPSILON, MOMENTUM, folded, is_statistic, normalised_in
from volr.training.regularisation import Regularisation
from volr.training.trained_pass import TrainedPass

if TYPE_CHECKING:
    from volr.network import Network

SAMPLES = Samples(
    np.random.default_rng(7).random((96, 4)), np.random.default_rng(8).integers(0, 5, 96)
)
# Two projections into one population, an output in the middle, and one that is an input too.
WIDE = fork(4, 3, 6, 5)

IMAGES = Samples(
    np.random.default_rng(9).random((64, 60)), np.random.default_rng(8).integers(0, 5, 64)
)
# Kernels alone, a kernel beside a matrix, beside an identity, of means, in groups, of one axis.
KERNELS = {
    "mixed": "((conv [2 5 6] 4 [2 3]) ⊕ dense [2 5 6] [4 4 4]) ⦶ dense _ 5",
    "residual": "conv [2 5 6] 4 [2 3] stride:[1 2] ⦶ ((conv _ 4 3 pad:1) ⊕ id [4 4 2]) ⦶ "
    "avgpool _ [2 1] ⦶ conv _ 6 1 groups:2 ⦶ maxpool _ [1 2] ⦶ dense _ 5",
    "one axis": "conv [6 10] 4 3 stride:2 pad:1 ⦶ dense _ 5",
}


def learner_of(network: Network, **settings: Any) -> ArtificialLearner:
    own = Regularisation(normalise="batch", **settings)
    return ArtificialLearner(network, ReLU(), 16, regularisation=own)


def starts(learner: ArtificialLearner, count: int = 1) -> list[dict[str, Any]]:
    shown = IMAGES if learner.network.input_size == IMAGES.units else SAMPLES
    return learner.starts(shown, count, np.random.default_rng(2))


def tensors(values: dict[str, Any]) -> dict[str, Any]:
    return {name: torch.tensor(each) for name, each in values.items()}


def test_the_start_computes_what_it_computes_without_normalisation() -> None:
    [start] = starts(learner_of(WIDE))
    [plain] = ArtificialLearner(WIDE, ReLU(), 16).starts(SAMPLES, 1, np.random.default_rng(2))
    for name, value in folded(normalised_in(WIDE), tensors(start)).items():
        np.testing.assert_allclose(value.numpy(), plain[name], rtol=1e-4, atol=1e-5)


def test_a_minibatch_is_normalised_as_batch_norm_of_pytorch_does_it() -> None:
    network = chain(4, 6, 5)
    learner = learner_of(network)
    [start] = starts(learner)
    values = {name: torch.tensor(v, dtype=torch.float32) for name, v in start.items()}
    norm: Any = nn.BatchNorm1d(6)
    with torch.no_grad():
        norm.weight.copy_(values["dense_1.scale"])
        norm.bias.copy_(values["dense_1.bias"])
        norm.running_mean.copy_(values["dense_1.mean"])
        norm.running_var.copy_(values["dense_1.variance"])
    inputs = torch.tensor(SAMPLES.inputs[:16], dtype=torch.float32)
    for _ in range(3):
        found = learner.trained_answer(values, inputs, 1, torch.Generator()).logits
        hidden = torch.relu(norm(inputs @ values["input->dense_1.weight"].T))
        expected = hidden @ values["dense_1->dense_2.weight"].T + values["dense_2.bias"]
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, expected in (("mean", norm.running_mean), ("variance", norm.running_var)):
        np.testing.assert_allclose(values[f"dense_1.{name}"], expected, rtol=1e-5)


@pytest.mark.parametrize("program", [None, *KERNELS])
def test_candidates_are_normalised_each_by_itself(program: str | None) -> None:
    learner = learner_of(WIDE if program is None else to_network(KERNELS[program]))
    each = starts(learner, 3)
    together = {name: torch.tensor(np.stack([one[name] for one in each])) for name in each[0]}
    inputs = torch.tensor((SAMPLES if program is None else IMAGES).inputs[:16])
    found = learner.trained_answer(together, inputs, 3, torch.Generator()).logits
    for index, one in enumerate(each):
        values = tensors(one)
        alone = learner.trained_answer(values, inputs, 1, torch.Generator()).logits
        np.testing.assert_allclose(found[index].numpy(), alone.numpy(), rtol=1e-6, atol=1e-8)
        for name in filter(is_statistic, one):
            np.testing.assert_allclose(together[name][index], values[name], rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("program", [None, *KERNELS])
def test_folded_equals_unfolded_in_evaluation(program: str | None, dtype: Any) -> None:
    network = WIDE if program is None else to_network(KERNELS[program])
    learner = learner_of(network)
    [start] = starts(learner)
    rng = np.random.default_rng(5)
    # Whatever training may make of them; identities stay 1.
    values = {
        name: torch.tensor(
            each * rng.uniform(0.5, 2.0, each.shape)
            if learner.is_trained(name) or is_statistic(name)
            else each,
            dtype=dtype,
        )
        for name, each in start.items()
    }
    shown = SAMPLES if program is None else IMAGES
    inputs = torch.tensor(shown.inputs, dtype=dtype)
    plan, normalised = plan_of(network, ReLU()), normalised_in(network)
    assert normalised
    unfolded = logits(plan, values, inputs, TrainedPass(1, normalised, updating=False))
    parameters = folded(normalised, values)
    found = logits(plan, parameters, inputs)
    scale = unfolded.abs().max()
    assert scale > 0.1
    assert (found - unfolded).abs().max() <= (1e-5 if dtype is torch.float32 else 1e-13) * scale
    # The reference runs the same model.
    model = ArtificialModel(network, {k: v.double().numpy() for k, v in parameters.items()})
    outputs = torch.tensor(forward(model, shown.inputs))
    assert (outputs - unfolded).abs().max() <= 1e-5 * scale


def test_a_channel_is_normalised_as_batch_norm_of_pytorch_does_it() -> None:
    network = to_network(KERNELS["residual"])
    learner = learner_of(network)
    [start] = starts(learner)
    values = {name: torch.tensor(v, dtype=torch.float32) for name, v in start.items()}
    norms: dict[str, Any] = {}
    for name, channels in (("conv_1", 4), ("conv_2", 4), ("conv_3", 6)):
        norm: Any = nn.BatchNorm2d(channels)
        norms[name] = norm
        with torch.no_grad():
            norm.weight.copy_(values[f"{name}.scale"])
            norm.bias.copy_(values[f"{name}.bias"])
            norm.running_mean.copy_(values[f"{name}.mean"])
            norm.running_var.copy_(values[f"{name}.variance"])
    inputs = torch.tensor(IMAGES.inputs[:16], dtype=torch.float32)
    for _ in range(2):
        found = learner.trained_answer(values, inputs, 1, torch.Generator()).logits
        maps = inputs.reshape(16, 2, 5, 6)
        first = torch.conv2d(maps, values["input->conv_1.weight"], stride=(1, 2))
        first = torch.relu(norms["conv_1"](first))
        second = torch.conv2d(first, values["conv_1->conv_2.weight"], padding=1)
        second = torch.relu(norms["conv_2"](second) + first)
        means = torch.avg_pool1d(second.transpose(2, 3).reshape(16, 8, 4), 2)
        means = means.reshape(16, 4, 2, 2).transpose(2, 3)
        third = torch.conv2d(means, values["conv_2->conv_3.weight"], groups=2)
        third = torch.relu(norms["conv_3"](third)).amax(dim=3).flatten(1)
        expected = third @ values["maxpool_4->dense_5.weight"].T + values["dense_5.bias"]
        np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, norm in norms.items():
        np.testing.assert_allclose(values[f"{name}.mean"], norm.running_mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(values[f"{name}.variance"], norm.running_var, rtol=1e-4)


def test_one_value_has_no_variance_so_the_averages_normalise_it() -> None:
    learner = learner_of(chain(4, 6, 5))
    [start] = starts(learner)
    values = tensors(start)
    before = values["dense_1.mean"].clone()
    inputs = torch.tensor(SAMPLES.inputs[:1])
    found = learner.trained_answer(values, inputs, 1, torch.Generator()).logits
    expected = learner.answer(learner.settled(values), inputs, 1).logits
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9)
    assert torch.equal(values["dense_1.mean"], before)


def test_the_trained_model_is_the_network_alone_and_answers_as_validated() -> None:
    settings = TrainingSettings(epochs=6, batch_size=16, normalise="batch", seed=3, candidates=2)
    trained = train_ann(WIDE, SAMPLES, settings)
    assert set(trained.model.parameters) == {
        name for name in starts(learner_of(WIDE))[0] if name.split(".")[-1] in ("weight", "bias")
    }
    rng = np.random.default_rng((0x7A11, 3))
    aside = rng.permutation(96)[:10]
    found = forward(trained.model, SAMPLES.inputs[aside]).argmax(axis=1)
    kept = trained.history[trained.kept_epoch - 1]
    assert np.mean(found == SAMPLES.labels[aside]) == pytest.approx(kept.validation_accuracy)


def test_a_network_that_is_given_goes_on_as_itself() -> None:
    first = train_ann(WIDE, SAMPLES, TrainingSettings(epochs=2, batch_size=16)).model
    settings = TrainingSettings(
        epochs=1, batch_size=16, normalise="batch", learning_rate=1e-9, schedule="constant"
    )
    model = train_ann(WIDE, SAMPLES, settings, initial=first).model
    # The averages move, by the difference between the samples and those that were looked at.
    outputs = forward(first, SAMPLES.inputs)
    np.testing.assert_allclose(forward(model, SAMPLES.inputs), outputs, atol=0.2 * outputs.std())


def test_xor_is_learnt_with_normalisation_and_dropout() -> None:
    data = load_logic(xor, 0)
    settings = TrainingSettings(normalise="batch", dropout=0.1, epochs=40)
    model = train_ann(chain(2, 12, 2), data.train, settings).model
    assert np.mean(forward(model, data.test.inputs).argmax(axis=1) == data.test.labels) == 1.0


def test_dropout_keeps_the_mean_and_leaves_outputs_alone() -> None:
    network = chain(4, 400, 5)
    learner = ArtificialLearner(network, ReLU(), 16, regularisation=Regularisation(dropout=0.25))
    [start] = starts(learner)
    values = tensors(start)
    inputs = torch.tensor(SAMPLES.inputs[:1]).expand(2000, 4)
    random = torch.Generator().manual_seed(4)
    state = torch.get_rng_state()
    found = learner.trained_answer(values, inputs, 1, random).logits
    assert torch.equal(torch.get_rng_state(), state)
    expected = learner.answer(values, inputs[:1], 1).logits
    error = found.std(dim=0) / 2000**0.5
    assert error.min() > 0
    assert ((found.mean(dim=0) - expected).abs() < 5 * error).all()
    # p (1 - p) / (1 - p)^2 of each weighted activation squared.
    hidden = torch.relu(inputs[:1] @ values["input->dense_1.weight"].T + values["dense_1.bias"])
    variance = (hidden * values["dense_1->dense_2.weight"]).square().sum(dim=1) * 0.25 / 0.75
    np.testing.assert_allclose(found.var(dim=0).numpy(), variance.numpy(), rtol=0.15)


def test_weight_decay_leaves_scales_alone() -> None:
    learner = learner_of(chain(4, 6, 5))
    each, found = starts(learner), list[Any]()
    for decay in (0.0, 0.5):
        settings = TrainingSettings(
            batch_size=16, weight_decay=decay, normalise="batch", optimizer="sgd"
        )
        stack = learner.begin(SAMPLES, each, settings)
        stack.descend(np.arange(16), [0.1])
        found.append(stack.state())
    without, with_decay = found
    for name in ("dense_1.scale", "dense_1.mean", "dense_1.variance"):
        np.testing.assert_array_equal(without[f"now {name}"], with_decay[f"now {name}"])
    shrunk = without["now dense_1.bias"] - 0.1 * 0.5 * each[0]["dense_1.bias"]
    np.testing.assert_allclose(with_decay["now dense_1.bias"], shrunk, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"normalise": "batch", "dropout": 0.5}, "normalise and no dropout"),
        ({"shift": 1}, "shift"),
    ],
)
def test_who_knows_none_of_it_refuses_it(settings: dict[str, Any], named: str) -> None:
    given = TrainingSettings(epochs=1, **settings)
    image = to_network("dense [1 2 2] 3 ⦶ dense 3 5")
    with pytest.raises(TrainingError, match=f"training a spiking network takes no {named}"):
        train_snn(image, SAMPLES, given)
    with pytest.raises(TrainingError, match=f"training on futhark takes no {named}"):
        train_ann(image, SAMPLES, given, on="futhark")


def test_only_images_are_shifted() -> None:
    with pytest.raises(
        TrainingError, match=r"the shape of input is \[4\], which is not that of an image"
    ):
        train_ann(chain(4, 3, 5), SAMPLES, TrainingSettings(shift=1))
    with pytest.raises(TrainingError, match="an image of 2 × 2 pixels is then empty"):
        train_ann(to_network("dense [1 2 2] 5"), SAMPLES, TrainingSettings(shift=2))
    found = [
        train_ann(to_network("dense [1 2 2] 5"), SAMPLES, TrainingSettings(epochs=1, shift=shift))
        for shift in (0, 1, 1)
    ]
    weights = [each.model.parameters["input->dense_1.weight"] for each in found]
    assert not np.array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[1], weights[2])


def test_epsilon_and_momentum_are_pytorchs() -> None:
    norm = nn.BatchNorm1d(1)
    assert (norm.eps, norm.momentum) == (EPSILON, MOMENTUM)
