"""The runs of a plan: which, in what order, and under which names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.experiments.examples import PROGRAM, SMALL, plan_of, settings

from volr.errors import DataError
from volr.experiments.conditions import ANN, CONDITIONS, TRANSFERRED, condition
from volr.experiments.plan import ExperimentPlan, essential, key_in, spec_from, spec_json
from volr.experiments.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from volr.experiments.plan import SampleSet

EVERY = {each.label: each for each in CONDITIONS}
LABELS = list(EVERY)


def neuron_of(label: str, chosen: str) -> str:
    """The neuron of a run: first spikes have one of their own, whichever is chosen."""
    if not condition(label).is_spiking:
        return ""
    return "if_curr_exp" if label == "snn-exact" else chosen


def test_seed_by_seed_what_is_needed_first_and_the_ann_once() -> None:
    plan = plan_of(
        *("snn-finetuned", "snn-transferred", "snn-random"),
        seeds=(5, 2),
        neurons=("if_curr_exp", "if_cond_exp"),
    )
    expected: list[str] = []
    for seed in (5, 2):
        for task in ("xor", "nand"):
            expected.append(f"{task}-{seed}-ann")
            expected += [
                f"{task}-{seed}-{name}-{neuron}"
                for neuron in ("if_curr_exp", "if_cond_exp")
                for name in ("snn-transferred", "snn-finetuned", "snn-random")
            ]
    specs = plan.specs()
    assert [spec.key for spec in specs] == expected
    by_key = {spec.key: spec for spec in specs}
    # Both neuron models start from the same model.
    for neuron in ("if_curr_exp", "if_cond_exp"):
        transferred = by_key[f"nand-5-snn-transferred-{neuron}"]
        assert transferred.needs == (by_key["nand-5-ann"],)
        finetuned = by_key[f"nand-5-snn-finetuned-{neuron}"]
        assert finetuned.needs == (by_key["nand-5-ann"], transferred)
        assert by_key[f"nand-5-snn-random-{neuron}"].needs == ()
    assert by_key["nand-5-ann"].on == "torch"
    assert by_key["nand-5-ann"].settings == Settings(epochs=2)


@given(
    labels=st.lists(st.sampled_from(LABELS), min_size=1, max_size=8),
    neurons=st.lists(st.sampled_from(["if_curr_exp", "if_curr_delta"]), min_size=1, unique=True),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
)
def test_every_run_is_there_once_and_after_those_that_it_needs(
    labels: Sequence[str], neurons: Sequence[str], seeds: Sequence[int]
) -> None:
    specs = plan_of(*labels, neurons=neurons, seeds=seeds).specs()
    keys = [spec.key for spec in specs]
    assert len(set(keys)) == len(keys)
    # They are names of files.
    assert all(re.fullmatch(r"[\w-]+", key) for key in keys)
    for index, spec in enumerate(specs):
        assert all(each in specs[:index] for each in spec.needs)
    wanted = {
        (task, seed, label, neuron_of(label, neuron))
        for task in ("xor", "nand")
        for seed in seeds
        for label in labels
        for neuron in neurons
    }
    found = {
        (s.task, s.seed, s.condition.label, s.settings.neuron if s.condition.is_spiking else "")
        for s in specs
    }
    assert wanted <= found
    others = {condition(label).name for _, _, label, _ in found - wanted}
    assert others <= {"ann", "ann-quantised", "snn-transferred"}


def test_settings_that_would_share_a_name_are_refused() -> None:
    plan = ExperimentPlan(
        tasks={"xor": PROGRAM},
        seeds=[0],
        conditions=[TRANSFERRED],
        on="engine",
        settings=[Settings(dt=0.5), Settings(dt=0.25)],
    )
    with pytest.raises(DataError, match="two different runs would be called xor-0-snn-transferred"):
        plan.specs()
    # An artificial network has no time step.
    assert len(replace(plan, conditions=[ANN]).specs()) == 1


@examples(max_examples=30)
@given(st.sampled_from(LABELS), settings(), st.text(), st.sampled_from(["test", "validation"]))
def test_a_spec_there_and_back(label: str, chosen: Settings, program: str, part: str) -> None:
    (*_, spec) = plan_of(label, tasks=["xor"], seeds=[3]).specs()
    spec = replace(spec, settings=chosen, program=program, part=part)
    text = json.dumps(spec_json(spec))
    assert spec_from(json.loads(text)) == spec
    assert spec_json(spec_from(json.loads(text))) == json.loads(text)


@pytest.mark.parametrize("label", LABELS)
def test_what_does_not_matter_to_a_run_is_no_part_of_it(label: str) -> None:
    others: dict[str, object] = {
        "snn-random": {"fine_epochs": 3, "epochs": 7, "percentile": 98.0, "surrogate_width": 0.7},
        "snn-surrogate": {"loop_epochs": 3, "epochs": 7, "rounds": 1, "fine_epochs": 2},
        "snn-transferred": {"loop_learning_rate": 0.5, "surrogate_epochs": 3, "fine_epochs": 2},
        "snn-finetuned": {"loop_batch_size": 3, "warm_up_epochs": 3},
        "ann-quantised": {"percentile": 98.0, "calibration_samples": 7, "dt": 0.25},
        "snn-exact": {"dt": 0.25, "duration": 20.0, "neuron": "if_cond_exp", "percentile": 98.0},
        "ann": {"levels": 8, "dt": 0.25, "loop_epochs": 3, "neuron_parameters": {"tau_m": 5.0}},
    }
    changes = others.get(condition(label).name, {"loop_epochs": 3, "surrogate_width": 0.7})
    assert isinstance(changes, dict)
    plan = plan_of(label, tasks=["xor"], seeds=[3])
    changed = replace(plan, settings=[replace(each, **changes) for each in plan.settings])
    assert changed.specs() == plan.specs()


def test_names_of_runs_on_validation_samples_tell_their_settings_apart() -> None:
    (_, spec) = plan_of("snn-transferred", tasks=["xor"], seeds=[3]).specs()
    one = replace(spec, part="validation")
    other = replace(one, settings=Settings(**SMALL, percentile=98.0))
    assert len({spec.key, one.key, other.key}) == 3
    assert one.key.startswith(f"{spec.key}-")
    assert one.needs[0].part == "validation"
    assert essential(replace(other, condition=ANN)) == one.needs[0]


def test_conditions_by_their_labels() -> None:
    for label, each in EVERY.items():
        assert condition(label) == each
    assert len({each.label for each in CONDITIONS}) == 9
    with pytest.raises(DataError, match=r"no condition 'snn-tuned'") as caught:
        condition("snn-tuned")
    assert "did you mean 'snn-finetuned'?" in str(caught.value)


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize("neuron", ["if_curr_exp", "if_cond_exp"])
def test_a_spec_as_json_has_the_same_key(part: SampleSet, neuron: str) -> None:
    specs = plan_of(*LABELS, seeds=(3,), neurons=(neuron,)).specs()
    assert len(specs) > len(LABELS)
    for spec in specs:
        of_part = replace(spec, part=part)
        read = json.loads(json.dumps(spec_json(of_part)))
        assert key_in(read) == of_part.key
        # Volr 0.1.0 wrote no part, and its runs were all on test samples.
        del read["part"]
        assert key_in(read) == spec.key
    assert key_in({"task": "xor", "condition": "snn-of-1999", "settings": {}}) is None
