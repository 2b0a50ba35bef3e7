"""What is measured: the conditions, and the single runs that an experiment consists of.

    condition         learned where              measured on
    ann               torch or futhark           the same
    snn-random        the loop on a simulator    that simulator
    snn-surrogate     the engine                 a simulator
    snn-transferred   the ANN of torch or of futhark, nothing trained
    snn-finetuned     the transferred one, trained further in the engine

And those of the original's method (``volr.experiments.original``): its artificial network
``ann-original``, its training with a simulator in the loop, from random weights
(``original-random``) and from that network's (``original-transferred``), and the steps of the
ablation, each a transfer under its own name.

A run is one condition of one task with one seed, and depends on nothing but its spec and the models
that it takes from other runs: else runs are independent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from volr.checks.names import named
from volr.errors import DataError
from volr.experiments.defaults import with_unless_told
from volr.experiments.original.recipe import LADDER, LEFT_OUT
from volr.experiments.settings import (
    FOR_ARTIFICIAL,
    FOR_FINE,
    FOR_LOOP,
    FOR_SPIKING,
    FOR_SURROGATE,
    FOR_TRANSFER,
    Settings,
    settings_from,
    settings_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Key: TypeAlias = str
"""A run's name in an experiment, and that of its files."""

Name: TypeAlias = Literal[
    "ann",
    "snn-random",
    "snn-surrogate",
    "snn-transferred",
    "snn-finetuned",
    "ann-original",
    "original-random",
    "original-transferred",
    "ablation",
]
Method: TypeAlias = Literal["ours", "original"]
Source: TypeAlias = Literal["torch", "futhark", "loop", "engine"]
Part: TypeAlias = Literal["test", "validation"]
"""What a run is measured on: the task's test samples, or a fifth of its training samples that is
set aside before anything is made, so that what is chosen by it has not seen the test samples."""


@dataclass(frozen=True)
class Condition:
    """``name`` and ``source``; ``needs`` are the conditions whose models it starts from.

    ``step`` is that of an ablation, empty for all others.
    """

    name: Name
    source: Source
    needs: tuple[Condition, ...] = ()
    step: str = ""

    @property
    def called(self) -> str:
        """Its name in tables."""
        return self.step or self.name

    @property
    def label(self) -> str:
        """What a user calls it: the source is said where it is not the usual one."""
        return f"{self.name}:{self.source}" if self.source == "futhark" else self.called

    @property
    def is_spiking(self) -> bool:
        return self.name not in {"ann", "ann-original"}


ANN = Condition("ann", "torch")
ANN_FUTHARK = Condition("ann", "futhark")
RANDOM = Condition("snn-random", "loop")
SURROGATE = Condition("snn-surrogate", "engine")
TRANSFERRED = Condition("snn-transferred", "torch", (ANN,))
TRANSFERRED_FUTHARK = Condition("snn-transferred", "futhark", (ANN_FUTHARK,))
FINETUNED = Condition("snn-finetuned", "torch", (ANN, TRANSFERRED))

CONDITIONS: tuple[Condition, ...] = (
    *(ANN, ANN_FUTHARK, RANDOM, SURROGATE, TRANSFERRED, TRANSFERRED_FUTHARK, FINETUNED),
)

ANN_ORIGINAL = Condition("ann-original", "torch")
ABLATION: tuple[Condition, ...] = tuple(
    Condition("ablation", "torch", (ANN if recipe.initialisation else ANN_ORIGINAL,), step)
    for step, recipe in (LADDER | LEFT_OUT).items()
    # The last rung but one of the ladder has two names.
    if step in LADDER or recipe not in LADDER.values()
)
METHODS: dict[Method, tuple[Condition, ...]] = {
    "ours": CONDITIONS,
    "original": (
        ANN_ORIGINAL,
        ANN,
        Condition("original-random", "loop"),
        Condition("original-transferred", "torch", (ANN_ORIGINAL,)),
        *ABLATION,
    ),
}
"""What is measured unless told otherwise, by method."""


def condition(label: str) -> Condition:
    """The condition that a user calls so; ``DataError`` names the nearest, and all there are.

    A hyphen will do for a minus, which few keyboards have.
    """
    return named("condition", _typed(label), _labelled(), DataError)


def _labelled() -> dict[str, Condition]:
    return {_typed(each.label): each for conditions in METHODS.values() for each in conditions}


def _typed(label: str) -> str:
    return label.replace("−", "-")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One run. ``on`` is the simulator that spiking networks run on, ``part`` what they are
    measured on.

    Two specs that are equal give the same result: ``settings`` holds nothing that the condition
    does not depend on.
    """

    task: str
    program: str
    seed: int
    condition: Condition
    on: str
    settings: Settings
    part: Part = "test"

    @property
    def key(self) -> Key:
        """Unique in an experiment; of a run on validation samples, unique among all such runs,
        since a search makes many that differ in their settings alone.
        """
        digest = _digest(spec_json(self)) if self.part == "validation" else None
        return _key(self.task, self.seed, self.condition, self.settings.neuron, digest)

    @property
    def needs(self) -> tuple[Spec, ...]:
        """The runs whose models this one starts from, in the order of its condition's."""
        return tuple(essential(replace(self, condition=each)) for each in self.condition.needs)


DEPENDS_ON: dict[Name, tuple[str, ...]] = {
    "ann": FOR_ARTIFICIAL,
    "snn-random": (*FOR_SPIKING, *FOR_LOOP),
    "snn-surrogate": (*FOR_SPIKING, *FOR_SURROGATE),
    "snn-transferred": (*FOR_SPIKING, *FOR_TRANSFER, *FOR_ARTIFICIAL),
    "snn-finetuned": (*FOR_SPIKING, *FOR_TRANSFER, *FOR_FINE, *FOR_ARTIFICIAL),
    "ann-original": ("epochs",),
    "original-random": (*FOR_SPIKING, "loop_samples"),
    "original-transferred": (*FOR_SPIKING, "loop_samples", "epochs"),
    "ablation": (*FOR_SPIKING, *FOR_TRANSFER, *FOR_ARTIFICIAL),
}
"""The settings that matter to a condition, and to those that it starts from, beside the data's."""


def essential(spec: Spec) -> Spec:
    """The spec without what does not matter to its condition."""
    condition = spec.condition
    settings = spec.settings.only(DEPENDS_ON[condition.name])
    return replace(
        spec, on=spec.on if condition.is_spiking else condition.source, settings=settings
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An experiment: all of ``conditions`` for each task, seed and settings.

    ``tasks`` are names with their programs; ``settings`` has an entry for each neuron model, and
    what it leaves open is as ``volr.experiments.defaults`` says, ``quick`` or not.
    """

    tasks: Mapping[str, str]
    seeds: Sequence[int]
    conditions: Sequence[Condition]
    on: str
    settings: Sequence[Settings]
    quick: bool = False

    def specs(self) -> tuple[Spec, ...]:
        """Every run once, those that others need before them; seed by seed, so that an experiment
        that is cut short has whole repeats.

        ``DataError`` where two different ones would have the same key.
        """
        found: dict[Key, Spec] = {}
        for spec in self._specs():
            if found.setdefault(spec.key, spec) != spec:
                raise DataError(
                    f"two different runs would be called {spec.key}",
                    help="give the plan one entry of settings for each neuron model",
                )
        return tuple(found.values())

    def _specs(self) -> Iterator[Spec]:
        for seed in self.seeds:
            for task, program in self.tasks.items():
                for told in self.settings:
                    settings = with_unless_told(told, task, quick=self.quick)
                    for each in self.conditions:
                        spec = Spec(
                            task=task,
                            program=program,
                            seed=seed,
                            condition=each,
                            on=self.on,
                            settings=settings,
                        )
                        yield from with_needs(essential(spec))


def with_needs(spec: Spec) -> Iterator[Spec]:
    """The runs that it starts from, and theirs, and then itself."""
    for each in spec.needs:
        yield from with_needs(each)
    yield spec


def spec_json(spec: Spec) -> dict[str, Any]:
    """A spec as JSON; equal specs, equal JSON."""
    return {
        "task": spec.task,
        "program": spec.program,
        "seed": spec.seed,
        "condition": spec.condition.label,
        "on": spec.on,
        "settings": settings_json(spec.settings),
        "part": spec.part,
    }


def key_told(told: Mapping[str, Any]) -> Key | None:
    """The key of a spec as JSON, of whatever version; None where its condition is not known here.

    ``told`` is what ``volr.experiments.store.runs.spec_told`` takes.
    """
    if (found := _labelled().get(_typed(told["condition"]))) is None:
        return None
    digest = _digest(told) if told.get("part") == "validation" else None
    neuron = told["settings"].get("neuron", Settings().neuron)
    return _key(told["task"], told.get("seed"), found, neuron, digest)


def _key(task: str, seed: object, condition: Condition, neuron: str, digest: str | None) -> Key:
    parts = [task, f"{seed}", condition.name]
    if condition.source == "futhark":
        parts.append("futhark")
    if condition.step:
        # Signs and spaces are no part of a file's name.
        parts += condition.step.replace("−", "without").replace("+", "with").split()
    if condition.is_spiking:
        parts.append(neuron)
    if digest is not None:
        parts.append(digest)
    return "-".join(parts)


def spec_from(told: Mapping[str, Any]) -> Spec:
    """The spec that was written as JSON."""
    return Spec(
        task=told["task"],
        program=told["program"],
        seed=told["seed"],
        condition=condition(told["condition"]),
        on=told["on"],
        settings=settings_from(told["settings"], "the run"),
        part=told["part"],
    )


def _digest(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
