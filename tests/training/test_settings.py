"""Training settings: what is wrong with them is said, all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from volr.errors import TrainingError
from volr.training import TrainingSettings
from volr.training.settings import validation_count


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs is 0, below 1"),
        ({"batch_size": 0}, "batch_size is 0, below 1"),
        ({"patience": 0}, "patience is 0, below 1"),
        ({"candidates": -1}, "candidates is -1, below 1"),
        ({"optimizer": "lbfgs"}, "optimizer is 'lbfgs', not one of adam, sgd"),
        ({"loss": "hinge"}, "loss is 'hinge', not one of cross_entropy, mse"),
        ({"schedule": "step"}, "schedule is 'step', not one of cosine, constant"),
        ({"normalise": "layer"}, "normalise is 'layer', not one of batch"),
        ({"dropout": 1.0}, r"dropout is 1.0, not in \[0, 1\)"),
        ({"shift": -1}, "shift is -1, below 0"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1, not above 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0, not above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan, not above 0"),
        ({"learning_rate": float("inf")}, "learning_rate is inf, not above 0"),
        ({"momentum": 1.0, "optimizer": "sgd"}, r"momentum is 1.0, not in \[0, 1\)"),
        ({"momentum": 0.9}, r"momentum is 0.9, which adam does not take \(sgd does\)"),
        ({"weight_decay": -1.0}, "weight_decay is -1.0, not 0 or more"),
        ({"validation": 1.0}, r"validation is 1.0, not in \[0, 1\)"),
        ({"validation": -0.1}, r"validation is -0.1, not in \[0, 1\)"),
        ({"validation": 0.0, "patience": 3}, "patience needs a validation split"),
        ({"seed": -1}, "seed is -1, below 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=f"^training cannot start: {message}"):
        TrainingSettings(**given)


def test_everything_wrong_is_listed_at_once() -> None:
    with pytest.raises(TrainingError) as caught:
        TrainingSettings(epochs=0, learning_rate=-1.0, validation=2.0)
    assert caught.value.message == (
        "training cannot start: epochs is 0, below 1; learning_rate is -1.0, not above 0; "
        "validation is 2.0, not in [0, 1)"
    )


def test_rate_and_decay_depend_on_the_optimizer_unless_given() -> None:
    assert (TrainingSettings().rate, TrainingSettings().decay) == (0.004, 0.05)
    sgd = TrainingSettings(optimizer="sgd")
    assert (sgd.rate, sgd.decay) == (0.1, 0.0)
    told = TrainingSettings(optimizer="sgd", learning_rate=0.5, weight_decay=0.25)
    assert (told.rate, told.decay) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("total", "fraction", "aside"),
    [(410, 0.1, 41), (5, 0.1, 1), (25, 0.1, 3), (1, 0.5, 1), (7, 0.0, 0), (0, 0.1, 1)],
)
def test_validation_takes_its_share_and_at_least_one(
    total: int, fraction: float, aside: int
) -> None:
    assert validation_count(total, fraction) == aside


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epochs": 1.5}, "epochs is 1.5, not a whole number"),
        ({"epochs": "3"}, "epochs is '3', not a whole number"),
        ({"batch_size": None}, "batch_size is None, not a whole number"),
        ({"batch_size": True}, "batch_size is True, not a whole number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast', not a number"),
        ({"momentum": 1j}, "momentum is 1j, not a number"),
        ({"activation": "relu"}, "activation is 'relu', not one of ReLU, Sigmoid, Tanh, Identity"),
        ({"loss": None}, "loss is None, not a text"),
        ({"seed": 0.5}, "seed is 0.5, not a whole number"),
    ],
)
def test_values_of_another_type_are_refused_when_they_are_given(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        TrainingSettings(**given)
    assert said in caught.value.message


def test_numbers_of_numpys_are_taken() -> None:
    settings = TrainingSettings(epochs=np.int64(3), learning_rate=np.float32(0.5))  # type: ignore[arg-type]
    assert settings == TrainingSettings(epochs=3, learning_rate=0.5)
    assert type(settings.epochs) is int
