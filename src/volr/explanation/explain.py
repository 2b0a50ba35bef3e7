"""Why a spiking network is worse than the ANN that it was made from."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import numpy as np

from volr.backends import ENGINE, running, spiking_backend
from volr.backends.base import check_supported, require
from volr.checks import arguments
from volr.errors import DataError, ModelError, UnsupportedError
from volr.explanation.causes import DYNAMIC, NEEDS, TITLES, Cause
from volr.explanation.evidence import evidence, faults, populations_with, roots
from volr.explanation.measure import measure
from volr.explanation.remedies import AGAIN, Remedy, remedies, settings_of
from volr.explanation.result import CauseCost, Explanation, Stage, Trial, largest
from volr.explanation.shares import closed_sets, shapley
from volr.explanation.variants import mechanisms, subsets
from volr.models.activations import ReLU
from volr.models.coding import check_stimuli, decode_counts
from volr.models.samples import check_labels
from volr.network import AllToAll
from volr.network.supported import check_connectors
from volr.transfer import transfer_ann

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from volr.backends import On
    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats
    from volr.explanation.measure import Measured
    from volr.models.model import ArtificialModel, SpikingModel
    from volr.models.samples import Samples
    from volr.transfer import TransferSettings

# So many of the largest causes have something done about them, in so many transfers at the most.
_TREATED, _TRIALS = 2, 4


# Squares of larger numbers, added up and multiplied, are beyond double precision.
_LARGEST = 1e100


class ExplanationProgress(Protocol):
    """Told, in words, the stage, and how much of it is done."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...


def explain(
    ann: ArtificialModel,
    snn: SpikingModel,
    samples: Samples,
    on: On = "engine",
    *,
    train: Samples | None = None,
    settings: TransferSettings | None = None,
    seed: int = 0,
    progress: ExplanationProgress | None = None,
) -> Explanation:
    """Split the gap between the two models on ``samples`` into causes.

    ``on`` is what runs the model: the name of a back end, a back end, or a started simulator. The
    model without single mechanisms runs in the engine, which can do without any. Where there are
    training stimuli, ``train``, remedies are tried: the ANN is transferred anew, on the engine,
    with other settings than the model's, and runs there too. ``settings`` are those that the model
    was transferred with, where they are known. ``seed`` draws random input spikes.

    Raises ``ModelError`` where the models are of different networks, ``UnsupportedError`` for what
    has no spike counts to compare, ``DataError`` for stimuli that do not fit.
    """
    arguments.check_model("explain", ann, "ann")
    arguments.check_model("explain", snn, "snn")
    arguments.check_samples("explain", samples)
    arguments.check_on("explain", on)
    backend = spiking_backend(on)
    require(backend)
    check_supported(backend, snn)
    check_connectors(snn.network, (AllToAll,), "explain")
    _check(ann, snn, samples)
    with running(on) as simulator:
        return _split(ann, snn, samples, simulator, train, settings, seed, progress or _no_progress)


def _split(
    ann: ArtificialModel,
    snn: SpikingModel,
    samples: Samples,
    simulator: Simulator,
    train: Samples | None,
    settings: TransferSettings | None,
    seed: int,
    tell: ExplanationProgress,
) -> Explanation:
    backend = simulator.backend
    taken_out = mechanisms(snn)
    counted = _summing(tell, len(samples) * len(list(subsets(taken_out))))
    with ENGINE.start() as engine:
        measured = measure(
            ann, snn, samples, simulator, engine, taken_out, seed=seed, progress=counted
        )
    there: dict[Cause, tuple[str, ...]] = {
        cause: found
        for cause in TITLES
        if (cause not in DYNAMIC or cause in taken_out)
        and (found := populations_with(cause, measured))
    }
    needs: dict[Cause, frozenset[Cause]] = {
        cause: NEEDS.get(cause, frozenset[Cause]()) & frozenset(there) for cause in there
    }
    everything = frozenset(there)
    answers = _Answers(measured, tell, sum(map(len, closed_sets(needs))))
    shares = shapley(needs, answers.with_causes)
    whole = answers.with_causes(frozenset()) - answers.with_causes(everything)
    base = settings or settings_of(snn, seed)
    unknown = settings is None
    parts: list[CauseCost] = []
    for cause, share in shares.items():
        where = _costliest(cause, there[cause], needs, answers)
        points, error = _mean(-share)
        seen = evidence(cause, where, measured, snn)
        change = tuple(each.option for each in remedies([cause], base, backend, again=unknown))
        parts.append(CauseCost(cause, TITLES[cause], points, error, where, seen, change))
    parts.sort(key=lambda part: -part.points)
    gap, error = _mean(whole)
    shown: tuple[Cause, ...] = tuple(
        cause
        for cause in roots(there, measured)
        if cause != "units" or _units_matter(answers, everything, gap)
    )
    costly = dict.fromkeys((largest(parts, shown)[1][0], *parts))
    worth = [part for part in costly if part.points > part.error or part.cause in shown]
    treated = worth[:_TREATED]
    plans = list(remedies((part.cause for part in treated), base, backend, again=unknown))
    if unknown and treated:
        # Else what is owed to the transfer alone would be owed to the setting.
        again = Remedy(treated[0].cause, AGAIN, base)
        plans = [again, *(plan for plan in plans if plan.option != AGAIN)]
    right = answers.with_causes(everything)
    trials: list[Trial] = []
    if train is not None and gap > 2 * error:
        for plan in plans[:_TRIALS]:
            # Which of the resets and delays go together on a back end, it knows itself.
            with suppress(UnsupportedError):
                trials.append(_tried(plan, ann, train, samples, right, simulator, seed, tell))
    return Explanation(
        backend=backend.name,
        samples=len(samples),
        ann=float(answers.with_causes(frozenset()).mean()),
        snn=float(right.mean()),
        gap=gap,
        error=error,
        parts=tuple(parts),
        stages=tuple(_stages(measured, everything)),
        faults=faults(measured),
        foreign=tuple(
            block.projection.name
            for wiring in measured.wirings.values()
            for block in wiring.blocks
            if block.unrelated and block.charge
        ),
        roots=shown,
        trials=tuple(trials),
    )


class _Answers:
    """Which stimuli are labelled right, 1 or 0 ``[batch]``, with these causes and those."""

    def __init__(self, measured: Measured, tell: ExplanationProgress, total: int) -> None:
        self._model = measured.model
        self._known: dict[frozenset[Cause], Floats] = {}
        self._tell, self._total = tell, total

    def with_causes(self, causes: frozenset[Cause]) -> Floats:
        """With the causes in every population."""
        if causes not in self._known:
            self._known[causes] = self.by_population(dict.fromkeys(self._model.populations, causes))
            self._tell("splitting the gap", len(self._known), self._total)
        return self._known[causes]

    def by_population(self, causes: Mapping[str, frozenset[Cause]]) -> Floats:
        return self._model.correct(causes).astype(np.float64)

    def lost(self, cause: Cause, before: frozenset[Cause], population: str) -> float:
        """What the accuracy loses by ``cause`` in one population, after others everywhere."""
        without = dict.fromkeys(self._model.populations, before)
        with_it: dict[str, frozenset[Cause]] = {**without, population: before.union({cause})}
        return float((self.by_population(without) - self.by_population(with_it)).mean())


def _units_matter(answers: _Answers, everything: frozenset[Cause], gap: float) -> bool:
    """Whether badly scaled units cost more than a quarter of the gap: whether so much would be
    gained if the units were in balance and all else stayed. Many networks have badly scaled units
    that do not matter.
    """
    gained = answers.with_causes(everything - {"units"}) - answers.with_causes(everything)
    return 4 * float(gained.mean()) > gap > 0


def _costliest(
    cause: Cause,
    populations: tuple[str, ...],
    needs: Mapping[Cause, frozenset[Cause]],
    answers: _Answers,
) -> str:
    """The population in which a cause costs most: as the first of all and as the last, on average.

    First of all is: after what it needs. Last: before what needs it.
    """
    if len(populations) == 1:
        return populations[0]
    after: set[Cause] = {each for each in needs if each == cause or cause in needs[each]}
    last = frozenset(needs.keys() - after)
    return max(
        populations,
        key=lambda name: answers.lost(cause, needs[cause], name) + answers.lost(cause, last, name),
    )


def _stages(measured: Measured, causes: frozenset[Cause]) -> list[Stage]:
    """What is lost in each population: the network up to it as it is, and the ANN behind it."""
    model = measured.model
    on = dict.fromkeys(model.populations, frozenset[Cause]())
    before = model.correct(on).astype(np.float64)
    found: list[Stage] = []
    for name in model.populations:
        on[name] = causes
        after = model.correct(on).astype(np.float64)
        found.append(Stage(name, *_mean(before - after)))
        before = after
    return found


def _tried(
    plan: Remedy,
    ann: ArtificialModel,
    train: Samples,
    samples: Samples,
    right: Floats,
    simulator: Simulator,
    seed: int,
    tell: ExplanationProgress,
) -> Trial:
    with ENGINE.start() as engine:
        done = transfer_ann(
            ann,
            train,
            engine,
            plan.settings,
            progress=lambda done, total, _what: tell(f"trying {plan.option}", done, total),
        )
    recordings = simulator.run(done.model, samples.inputs, seed=seed)
    labels, _ = decode_counts(recordings.output_values(done.model))
    now = (labels == samples.labels).astype(np.float64)
    return Trial(plan.cause, plan.option, float(now.mean()), *_mean(now - right))


def _mean(differences: Floats) -> tuple[float, float]:
    """The mean over stimuli and its standard error, of differences that are paired."""
    return float(differences.mean()), float(differences.std() / np.sqrt(len(differences)))


def _check(ann: ArtificialModel, snn: SpikingModel, samples: Samples) -> None:
    if ann.network != snn.network:
        raise ModelError(
            "the two models are not of the same network", help="give the ANN that the SNN came from"
        )
    if not isinstance(ann.activation, ReLU):
        raise UnsupportedError(
            f"a spike rate cannot stand for the activation {ann.activation.name!r}, so there is "
            "nothing to compare spike counts with",
            help="train the network anew with relu, which makes another model",
        )
    for kind, model in (("ANN", ann), ("SNN", snn)):
        for name, values in model.parameters.items():
            largest = float(np.abs(values).max(initial=0.0))
            if largest > _LARGEST:
                raise ModelError(
                    f"the {kind}'s {name} has a value of size {largest:.3g}, and weights are "
                    f"compared by their squares: none may be larger than {_LARGEST:g}",
                    help="a training has come to no good; train it again with a smaller "
                    "--learning-rate",
                )
    sources = {projection.source for projection in ann.network.projections}
    if leading := [name for name in ann.network.outputs if name in sources]:
        raise UnsupportedError(
            f"the output {leading[0]} has projections of its own, and its counts would stand for "
            "a logit and for an activation"
        )
    if not len(samples):
        raise DataError("there are no samples to explain the model on")
    check_stimuli(samples.inputs, ann.network.input_size)
    check_labels(samples, ann.network.output_size)


def _summing(tell: ExplanationProgress, total: int) -> Callable[[int], None]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("simulating", done, total)

    return more


def _no_progress(_stage: str, _done: int, _total: int, /) -> None:
    """Tells nobody."""
