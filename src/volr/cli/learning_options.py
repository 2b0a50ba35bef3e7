"""The options of training, whatever is trained, and their defaults in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from volr.cli.options import LEARNING, count, option


def _epochs() -> str:
    from volr.training import in_loop, spiking

    return (
        f"{usual_epochs()}; with --start: {spiking.FINE_EPOCHS}; with --in-loop: {in_loop.EPOCHS}, "
        f"or as many as make {in_loop.UPDATES}"
    )


def usual_epochs() -> str:
    """How many epochs an artificial network is trained for, in words."""
    from volr.training.settings import EPOCHS, UPDATES

    return f"{EPOCHS}, or as many as make {UPDATES:,} updates"


def _by_kind(adam: float, sgd: float, snn: float, fine: float) -> str:
    return f"{adam:g}; sgd: {sgd:g}; snn: {snn:g}; with --start: {fine:g}"


def _learning_rates() -> str:
    from volr.training import settings, spiking

    return _by_kind(**settings.RATES, snn=spiking.RATE, fine=spiking.FINE_RATE)


def _weight_decays() -> str:
    from volr.training import settings, spiking

    return _by_kind(**settings.DECAYS, snn=spiking.DECAY, fine=spiking.FINE_DECAY)


@dataclass(frozen=True, kw_only=True)
class Learning:
    """The options of ``TrainingSettings``, whose names are those of its fields."""

    panel: ClassVar = LEARNING
    source: ClassVar = "volr.training:TrainingSettings"
    epochs: int | None = count(None, "Passes over the training data.", unless=_epochs)
    batch_size: int | None = count(None, "Samples in one update.")
    optimizer: Literal["adam", "sgd"] | None = option(None, "Optimizer of the parameters.")
    learning_rate: float | None = option(
        None,
        "Highest learning rate: that of the first update, but for one_cycle.",
        "X",
        unless=_learning_rates,
    )
    momentum: float | None = option(None, "Momentum of sgd.", "X")
    schedule: Literal["cosine", "constant", "one_cycle"] | None = option(
        None, "Let the learning rate fall to 0, keep it, or let it rise first and then fall."
    )
    weight_decay: float | None = option(
        None,
        "Share that an update takes off each parameter, for a learning rate of 1.",
        "X",
        unless=_weight_decays,
    )
    normalise: Literal["batch"] | None = option(
        None,
        "Normalise what arrives at hidden neurons over each minibatch; the trained model has it in "
        "its weights. Artificial networks on torch only.",
        unless="no normalisation",
    )
    dropout: float | None = option(
        None,
        "Probability that a hidden neuron is left out of an update. Artificial networks on torch "
        "only.",
        "X",
    )
    shift: int | None = count(
        None,
        "Most pixels by which images are shifted while they are trained on; the inputs are of "
        "shape [c h w]. Artificial networks on torch only.",
        least=0,
    )
    levels: int | None = count(
        None,
        "Levels of an activation, 0 aside: the model is one of whole numbers. Artificial networks "
        "on torch only.",
        least=2,
        unless="no levels",
    )
    loss: Literal["cross_entropy", "mse"] | None = option(None, "The loss that training minimises.")
    validation: float | None = option(None, "Fraction of the training data set aside.", "X")
    patience: int | None = count(
        None, "Stop after this many epochs without improvement.", unless="never"
    )
    candidates: int | None = count(
        None,
        "Number of initialisations; training goes on with the best. There are fewer where all of "
        "them would take too much memory or time.",
    )
