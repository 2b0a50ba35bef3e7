"""The runs of an experiment: an ``ExperimentPlan`` is many ``Spec``s.

A run is one condition of one task with one seed. It depends only on its spec and on the models that
it takes from other runs.
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

    from volr.experiments.condition import Condition

Key: TypeAlias = str
"""The name of a run in an experiment, and of its files."""

SampleSet: TypeAlias = Literal["test", "validation"]
"""What a run is measured on: the task's test samples, or a fifth of its training samples, which is
set aside first. So what is chosen on validation samples does not depend on the test samples."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One run. ``on`` is the simulator for spiking networks, ``part`` what it is measured on.

    Equal specs give the same result: ``settings`` has only what the condition depends on.
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
        """Unique in an experiment. The key of a run on validation samples has a hash of the spec,
        since a search makes many runs that differ only in their settings.
        """
        digest = _digest(spec_json(self)) if self.part == "validation" else None
        return _key(self.task, self.seed, self.condition, self.settings.neuron, digest)

    @property
    def needs(self) -> tuple[Spec, ...]:
        """The runs whose models this one starts from, in the order of its condition's ``needs``."""
        return tuple(essential(replace(self, condition=each)) for each in self.condition.needs)


def essential(spec: Spec) -> Spec:
    """The spec with only what its condition depends on."""
    condition = spec.condition
    settings = spec.settings.only(condition.depends_on)
    return replace(
        spec, on=spec.on if condition.is_spiking else condition.source, settings=settings
    )


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """An experiment: all ``conditions`` for each task, seed and settings.

    ``tasks`` are names with their programs. ``settings`` has an entry for each neuron model;
    defaults are those of ``volr.experiments.defaults``, ``quick`` or not.
    """

    tasks: Mapping[str, str]
    seeds: Sequence[int]
    conditions: Sequence[Condition]
    on: str
    settings: Sequence[Settings]
    quick: bool = False

    def specs(self) -> tuple[Spec, ...]:
        """Every run once, after the runs that it needs.

        They are ordered by seed, so that an interrupted experiment has complete repeats.
        ``DataError`` if two different runs would have the same key.
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
                for each_settings in self.settings:
                    settings = with_task_defaults(each_settings, task, program, quick=self.quick)
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
    """The runs that it starts from, recursively, and then the run itself."""
    for each in spec.needs:
        yield from with_needs(each)
    yield spec


def spec_json(spec: Spec) -> dict[str, Any]:
    """A spec as JSON. Equal specs have equal JSON."""
    return {
        "task": spec.task,
        "program": spec.program,
        "seed": spec.seed,
        "condition": spec.condition.label,
        "on": spec.on,
        "settings": settings_json(spec.settings),
        "part": spec.part,
    }


def key_in(spec: Mapping[str, Any], among: Iterable[Condition] = CONDITIONS) -> Key | None:
    """The key of a spec as JSON, of any version; None if its condition is not one of ``among``.

    ``spec`` is what ``volr.experiments.store.runs.spec_entries`` takes.
    """
    found = next((each for each in among if each.label == spec["condition"]), None)
    if found is None:
        return None
    digest = _digest(spec) if spec.get("part") == "validation" else None
    neuron = spec["settings"].get("neuron", Settings().neuron)
    return _key(spec["task"], spec.get("seed"), found, neuron, digest)


def _key(task: str, seed: object, condition: Condition, neuron: str, digest: str | None) -> Key:
    parts = [task, f"{seed}", condition.file_name or condition.name]
    if condition.source == "futhark":
        parts.append("futhark")
    if condition.is_spiking:
        parts.append(neuron)
    if digest is not None:
        parts.append(digest)
    return "-".join(parts)


def spec_from(entries: Mapping[str, Any], among: Iterable[Condition] = CONDITIONS) -> Spec:
    """The spec of ``spec_json``, with a condition that is one of ``among``."""
    return Spec(
        task=entries["task"],
        program=entries["program"],
        seed=entries["seed"],
        condition=condition(entries["condition"], among),
        on=entries["on"],
        settings=settings_from(entries["settings"], "the run"),
        part=entries["part"],
    )


def _digest(spec: Mapping[str, Any]) -> str:
    text = json.dumps(spec, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
