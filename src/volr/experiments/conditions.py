"""What is measured: the conditions, and the single runs that an experiment consists of.

    condition         learned where              measured on
    ann               torch or futhark           the same
    snn-random        the loop on a simulator    that simulator
    snn-surrogate     the engine                 a simulator
    snn-transferred   the ANN of torch or of futhark, nothing trained
    snn-finetuned     the transferred one, trained further in the engine

A run is one task, one condition and one seed, and nothing else decides about its result: so runs
are independent but for the models that one takes from another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from volr.errors import DataError
from volr.experiments.settings import settings_from, settings_json
from volr.naming import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from volr.experiments.settings import Settings

Key: TypeAlias = str
"""A run's name in an experiment, and that of its files."""

Name: TypeAlias = Literal["ann", "snn-random", "snn-surrogate", "snn-transferred", "snn-finetuned"]
Source: TypeAlias = Literal["torch", "futhark", "loop", "engine"]


@dataclass(frozen=True)
class Condition:
    """``name`` and ``source``; ``needs`` are the conditions whose models it starts from."""

    name: Name
    source: Source
    needs: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """What a user calls it: the source is said where it is not the usual one."""
        return f"{self.name}:{self.source}" if self.source == "futhark" else self.name

    @property
    def is_spiking(self) -> bool:
        return self.name != "ann"


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


def condition(label: str) -> Condition:
    """The condition that a user calls so; ``DataError`` names the nearest, and all there are."""
    return named("condition", label, {each.label: each for each in CONDITIONS}, DataError)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One run. ``on`` is the simulator that spiking networks run on.

    Two specs that are equal give the same result: ``settings`` holds nothing that the condition
    does not depend on.
    """

    task: str
    program: str
    seed: int
    condition: Condition
    on: str
    settings: Settings

    @property
    def key(self) -> Key:
        """Unique in an experiment."""
        parts = [self.task, f"{self.seed}", self.condition.name]
        if self.condition.source == "futhark":
            parts.append("futhark")
        if self.condition.is_spiking:
            parts.append(self.settings.neuron)
        return "-".join(parts)

    @property
    def needs(self) -> tuple[Spec, ...]:
        """The runs whose models this one starts from, in the order of its condition's."""
        return tuple(_spec(replace(self, condition=each)) for each in self.condition.needs)


def _spec(spec: Spec) -> Spec:
    """The spec without what does not matter to its condition."""
    if spec.condition.is_spiking:
        return spec
    return replace(spec, on=spec.condition.source, settings=spec.settings.artificial())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An experiment: all of ``conditions`` for each task, seed and settings.

    ``tasks`` are names with their programs; ``settings`` has an entry for each neuron model.
    """

    tasks: Mapping[str, str]
    seeds: Sequence[int]
    conditions: Sequence[Condition]
    on: str
    settings: Sequence[Settings]

    def specs(self) -> tuple[Spec, ...]:
        """Every run once, those that others need before them; seed by seed, so that an experiment
        that is cut short has whole repeats.
        """
        return tuple({spec.key: spec for spec in self._specs()}.values())

    def _specs(self) -> Iterator[Spec]:
        for seed in self.seeds:
            for task, program in self.tasks.items():
                for settings in self.settings:
                    for each in self.conditions:
                        spec = Spec(
                            task=task,
                            program=program,
                            seed=seed,
                            condition=each,
                            on=self.on,
                            settings=settings,
                        )
                        yield from _with_needs(_spec(spec))


def _with_needs(spec: Spec) -> Iterator[Spec]:
    for each in spec.needs:
        yield from _with_needs(each)
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
    }


def spec_from(told: Mapping[str, Any]) -> Spec:
    """The spec that was written as JSON."""
    return Spec(
        task=told["task"],
        program=told["program"],
        seed=told["seed"],
        condition=condition(told["condition"]),
        on=told["on"],
        settings=settings_from(told["settings"], "the run"),
    )
