"""The single runs that an experiment consists of: a ``Plan`` is many ``Spec``s.

A run is one condition of one task with one seed. It depends on nothing but its spec and the models
that it takes from other runs. All other runs are independent of each other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from volr.errors import DataError
from volr.experiments.conditions import CONDITIONS, condition
from volr.experiments.defaults import with_task_defaults
from volr.experiments.settings import Settings, settings_from, settings_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from volr.experiments.conditions import Condition

Key: TypeAlias = str
"""A run's name in an experiment, and that of its files."""

SampleSet: TypeAlias = Literal["test", "validation"]
"""What a run is measured on: the task's test samples, or a fifth of its training samples that is
set aside before anything is made, so that what is chosen by it has not seen the test samples."""


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
    part: SampleSet = "test"

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


def essential(spec: Spec) -> Spec:
    """The spec without what does not matter to its condition."""
    condition = spec.condition
    settings = spec.settings.only(condition.depends_on)
    return replace(
        spec, on=spec.on if condition.is_spiking else condition.source, settings=settings
    )


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
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
                    settings = with_task_defaults(told, task, quick=self.quick)
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


def key_in(told: Mapping[str, Any], among: Iterable[Condition] = CONDITIONS) -> Key | None:
    """The key of a spec as JSON, of whatever version; None where its condition is not one of
    ``among``.

    ``told`` is what ``volr.experiments.store.runs.spec_entries`` takes.
    """
    found = next((each for each in among if each.label == told["condition"]), None)
    if found is None:
        return None
    digest = _digest(told) if told.get("part") == "validation" else None
    neuron = told["settings"].get("neuron", Settings().neuron)
    return _key(told["task"], told.get("seed"), found, neuron, digest)


def _key(task: str, seed: object, condition: Condition, neuron: str, digest: str | None) -> Key:
    parts = [task, f"{seed}", condition.file_name or condition.name]
    if condition.source == "futhark":
        parts.append("futhark")
    if condition.is_spiking:
        parts.append(neuron)
    if digest is not None:
        parts.append(digest)
    return "-".join(parts)


def spec_from(told: Mapping[str, Any], among: Iterable[Condition] = CONDITIONS) -> Spec:
    """The spec that was written as JSON, with a condition that is one of ``among``."""
    return Spec(
        task=told["task"],
        program=told["program"],
        seed=told["seed"],
        condition=condition(told["condition"], among),
        on=told["on"],
        settings=settings_from(told["settings"], "the run"),
        part=told["part"],
    )


def _digest(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
