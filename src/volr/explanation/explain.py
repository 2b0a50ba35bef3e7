"""Why a spiking network is worse than the ANN that it was made from."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from volr.backends import ENGINE, running, spiking_backend
from volr.backends.refusals import check_supported, require
from volr.checks import arguments
from volr.errors import UnsupportedError
from volr.explanation.causes import DYNAMIC, NEEDS, TITLES, Cause
from volr.explanation.checks import check
from volr.explanation.costs import Answers, costliest, mean_and_error, stages_of, units_matter
from volr.explanation.evidence import evidence, faults, populations_with, roots
from volr.explanation.measure import measure
from volr.explanation.remedies import AGAIN, Remedy, remedies, settings_of
from volr.explanation.result import CauseCost, Explanation, Trial, largest
from volr.explanation.shares import closed_sets, shapley
from volr.explanation.variants import mechanisms, subsets
from volr.models.coding import decode_counts
from volr.models.model import ArtificialModel, SpikingModel
from volr.transfer import TransferSettings, transfer_ann

if TYPE_CHECKING:
    from collections.abc import Callable

    from volr.backends import On
    from volr.backends.base import Simulator
    from volr.checks.arrays import Floats
    from volr.explanation.result import ExplanationProgress
    from volr.models.samples import Samples

# For how many of the largest causes remedies are tried, and in how many transfers at most.
_TREATED, _TRIALS = 2, 4


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

    ``on`` is what runs the model: the name of a back end, a back end, or a started simulator.
    Variants of the model without single mechanisms run in the engine. With training stimuli,
    ``train``, remedies are tried: the ANN is transferred again with other settings, on the engine,
    and the new model runs on ``on``. ``settings`` are those that the model was transferred with, if
    they are known. ``seed`` draws random input spikes.

    Raises ``ModelError`` for models of different networks, ``UnsupportedError`` for models without
    spike counts to compare, and ``DataError`` for stimuli that do not fit.
    """
    arguments.check_model("explain", ann, "ann", kind=ArtificialModel)
    arguments.check_model("explain", snn, "snn", kind=SpikingModel)
    arguments.check_samples("explain", samples)
    arguments.check_on("explain", on)
    if train is not None:
        arguments.check_samples("explain", train, "train")
    if settings is not None:
        arguments.check_record("explain", settings, TransferSettings)
    arguments.check_progress("explain", progress)
    backend = spiking_backend(on)
    require(backend)
    check_supported(backend, snn)
    check(ann, snn, samples)
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
    answers = Answers(measured.model, tell, sum(map(len, closed_sets(needs))))
    shares = shapley(needs, answers.with_causes)
    whole = answers.with_causes(frozenset()) - answers.with_causes(everything)
    base = settings or settings_of(snn, seed)
    unknown = settings is None
    parts: list[CauseCost] = []
    for cause, share in shares.items():
        where = costliest(cause, there[cause], needs, answers)
        points, error = mean_and_error(-share)
        seen = evidence(cause, where, measured, snn)
        change = tuple(each.option for each in remedies([cause], base, backend, again=unknown))
        parts.append(CauseCost(cause, TITLES[cause], points, error, where, seen, change))
    parts.sort(key=lambda part: -part.points)
    gap, error = mean_and_error(whole)
    shown: tuple[Cause, ...] = tuple(
        cause
        for cause in roots(there, measured)
        if cause != "units" or units_matter(answers, everything, gap)
    )
    costly = dict.fromkeys((largest(parts, shown)[1][0], *parts))
    worth = [part for part in costly if part.points > part.error or part.cause in shown]
    treated = worth[:_TREATED]
    plans = list(remedies((part.cause for part in treated), base, backend, again=unknown))
    if unknown and treated:
        # Otherwise the gain of a new transfer would be counted as the gain of the setting.
        again = Remedy(treated[0].cause, AGAIN, base)
        plans = [again, *(plan for plan in plans if plan.option != AGAIN)]
    right = answers.with_causes(everything)
    trials: list[Trial] = []
    if train is not None and gap > 2 * error:
        for plan in plans[:_TRIALS]:
            # Only the back end knows which resets and delays go together.
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
        stages=stages_of(measured.model, everything),
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
    return Trial(plan.cause, plan.option, float(now.mean()), *mean_and_error(now - right))


def _summing(tell: ExplanationProgress, total: int) -> Callable[[int], None]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("simulating", done, total)

    return more


def _no_progress(_stage: str, _done: int, _total: int, /) -> None:
    pass
