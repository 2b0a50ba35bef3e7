"""The conditions that an experiment compares: how each builds its model, and from what.

    condition         learned where              measured on
    ann               torch or futhark           the same
    ann-quantised     the ANN of torch, whose numbers become whole ones
    snn-random        the loop on a simulator    that simulator
    snn-surrogate     the engine                 a simulator
    snn-transferred   the ANN of torch or of futhark, nothing trained
    snn-finetuned     the transferred one, trained further in the engine
    snn-exact         the quantised one, whose whole numbers it computes

A study has further ones (``volr.experiments.study``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from volr.backends.engine import SMOOTH
from volr.checks.names import named
from volr.errors import DataError, ModelError
from volr.experiments.condition import Built, Condition, artificial, calibrated_on, trained
from volr.experiments.exact_conditions import exact, quantised
from volr.experiments.run_progress import of_calibration, of_training
from volr.experiments.settings import (
    FOR_ARTIFICIAL,
    FOR_FINE,
    FOR_FUTHARK,
    FOR_LOOP,
    FOR_SPIKING,
    FOR_SURROGATE,
    FOR_TRANSFER,
)
from volr.models.model import SpikingModel
from volr.training import train_ann, train_in_loop, train_snn
from volr.transfer import transfer_ann

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volr.experiments.condition import Ingredients
    from volr.experiments.settings import Settings
    from volr.training.artificial import TrainingBackend


def _ann(given: Ingredients, backend: TrainingBackend) -> Built:
    return trained(
        train_ann(
            given.network,
            given.train,
            given.settings.training(given.seed),
            on=backend,
            progress=of_training(given.progress),
        )
    )


def _in_loop(given: Ingredients) -> Built:
    return trained(
        train_in_loop(
            given.network,
            given.shown_in_loop,
            given.simulators[given.on],
            given.settings.in_loop(given.seed),
            given.settings.spiking(),
            progress=of_training(given.progress),
        )
    )


def _with_surrogates(given: Ingredients) -> Built:
    """Trained in the engine: first through rates, if the settings say so, then through time."""
    settings, seed, progress = given.settings, given.seed, of_training(given.progress)
    network, train, spiking = given.network, given.train, settings.spiking()
    begun = None
    if settings.warms_up:
        begun = train_in_loop(
            network, train, SMOOTH, settings.warm_up(seed), spiking, progress=progress
        )
    found = train_snn(
        network,
        train,
        settings.surrogate(seed),
        spiking,
        start=None if begun is None else begun.model,
        progress=progress,
    )
    before = () if begun is None else begun.history
    return Built(found.model, (*before, *found.history))


def _transferred(given: Ingredients) -> Built:
    [ann] = given.needed
    done = transfer_ann(
        artificial(ann),
        given.train,
        given.calibrator,
        given.settings.transfer(given.seed),
        progress=of_calibration(given.progress),
    )
    return Built(done.model, transfer=done.report)


def _finetuned(given: Ingredients) -> Built:
    ann, start = given.needed
    if not isinstance(start, SpikingModel):
        raise ModelError("fine-tuning starts from a spiking model, and this one is artificial")
    return trained(
        train_snn(
            given.network,
            given.train,
            given.settings.fine(given.seed),
            start=start,
            teacher=artificial(ann),
            progress=of_training(given.progress),
        )
    )


def _calibrating(settings: Settings, on: str) -> tuple[str, ...]:
    return (calibrated_on(settings, on),)


def _transfer_of(ann: Condition) -> Condition:
    return Condition(
        "snn-transferred",
        ann.source,
        _transferred,
        (*FOR_SPIKING, *FOR_TRANSFER, *FOR_ARTIFICIAL),
        needs=(ann,),
        backends=_calibrating,
    )


ANN = Condition("ann", "torch", partial(_ann, backend="torch"), FOR_ARTIFICIAL, is_spiking=False)
ANN_FUTHARK = Condition(
    "ann", "futhark", partial(_ann, backend="futhark"), FOR_FUTHARK, is_spiking=False
)
RANDOM = Condition(
    "snn-random",
    "loop",
    _in_loop,
    (*FOR_SPIKING, *FOR_LOOP),
    backends=lambda _settings, _on: ("torch",),
)
SURROGATE = Condition(
    "snn-surrogate",
    "engine",
    _with_surrogates,
    (*FOR_SPIKING, *FOR_SURROGATE),
    backends=lambda _settings, _on: ("torch", "engine"),
)
TRANSFERRED = _transfer_of(ANN)
FINETUNED = Condition(
    "snn-finetuned",
    "torch",
    _finetuned,
    (*FOR_SPIKING, *FOR_TRANSFER, *FOR_FINE, *FOR_ARTIFICIAL),
    needs=(ANN, TRANSFERRED),
    backends=lambda _settings, _on: ("torch", "engine"),
)

QUANTISED = quantised(ANN)
EXACT = exact(QUANTISED)

CONDITIONS: tuple[Condition, ...] = (
    *(ANN, ANN_FUTHARK, QUANTISED, RANDOM, SURROGATE),
    *(TRANSFERRED, _transfer_of(ANN_FUTHARK), FINETUNED, EXACT),
)


def condition(label: str, among: Iterable[Condition] = CONDITIONS) -> Condition:
    """The condition with this label; ``DataError`` names the nearest one, and all of them.

    A minus may be typed as a hyphen.
    """
    return named(
        "condition", _typed(label), {_typed(each.label): each for each in among}, DataError
    )


def _typed(label: str) -> str:
    return label.replace("−", "-")
