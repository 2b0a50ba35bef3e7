"""The default settings of runs."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiments.examples import plan_of, settings

from volr.experiments.conditions import SURROGATE
from volr.experiments.defaults import with_task_defaults
from volr.experiments.programs import PROGRAMS
from volr.experiments.settings import FOR_ARTIFICIAL, Settings, settings_json
from volr.experiments.tasks import TASKS

NAMES = [each.name for each in TASKS]
NEURONS = ["if_curr_exp", "if_curr_delta", "if_cond_exp"]


@given(settings(), st.sampled_from(NAMES), st.booleans())
def test_settings_that_are_given_win(chosen: Settings, task: str, quick: bool) -> None:
    found = settings_json(with_task_defaults(chosen, task, quick=quick))
    entries = settings_json(chosen)
    assert {name: found[name] for name in entries} == entries


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("task", ["mnist", "mnist-parallel"])
def test_so_has_what_is_told_to_be_as_it_is_elsewhere(task: str, neuron: str, quick: bool) -> None:
    elsewhere = with_task_defaults(Settings(neuron=neuron), "digits")
    chosen = Settings(neuron=neuron, dt=elsewhere.step, loop_samples=elsewhere.in_loop_samples)
    found = with_task_defaults(chosen, task, quick=quick)
    assert (found.dt, found.loop_samples) == (0.5, 8192)


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("task", NAMES)
def test_nothing_is_changed_that_cannot_be_untold(task: str, neuron: str) -> None:
    # What has a value in any case could not be set to that one.
    chosen = Settings(neuron=neuron)
    for quick in (False, True):
        found = asdict(with_task_defaults(chosen, task, quick=quick))
        changed = {name for name, value in asdict(chosen).items() if value != found[name]}
        assert all(asdict(chosen)[name] is None for name in changed)


@pytest.mark.parametrize("task", ["nand", "xor", "digits"])
def test_what_is_quick_as_it_is_stays_whole(task: str) -> None:
    whole = with_task_defaults(Settings(), task)
    assert with_task_defaults(Settings(), task, quick=True) == whole
    assert whole.only(FOR_ARTIFICIAL) == Settings()


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("task", ["mnist", "mnist-parallel"])
def test_quick_only_does_less(task: str, neuron: str) -> None:
    chosen = Settings(neuron=neuron)
    whole = with_task_defaults(chosen, task)
    less = with_task_defaults(chosen, task, quick=True)
    # An artificial network is the same whichever neuron it is transferred to.
    assert whole.only(FOR_ARTIFICIAL) == chosen.only(FOR_ARTIFICIAL)
    amounts = {name for name in asdict(chosen) if name.endswith(("epochs", "samples"))}
    differ = {name for name, value in asdict(less).items() if value != asdict(whole)[name]}
    assert differ <= amounts
    for name in differ:
        some, all_of_it = getattr(less, name), getattr(whole, name)
        assert all_of_it is None or some < all_of_it


def test_a_program_of_volrs_has_settings_of_its_own_however_it_is_written() -> None:
    plain = with_task_defaults(Settings(), "mnist")
    lenet = with_task_defaults(Settings(), "mnist", PROGRAMS["lenet"])
    assert (lenet.shift, lenet.schedule, lenet.surrogate_epochs) == (2, "one_cycle", 5)
    typed = PROGRAMS["lenet"].replace("⦶", ">>").replace("_ 120", "[16 4 4] 120")
    assert with_task_defaults(Settings(), "mnist", typed) == lenet
    assert with_task_defaults(Settings(shift=0), "mnist", typed).shift == 0
    assert with_task_defaults(Settings(), "mnist", "dense 784 10") == plain
    for program in PROGRAMS.values():
        assert with_task_defaults(Settings(), "fashion", program, quick=True).epochs == 8


def test_a_plan_asks_for_each_of_its_tasks() -> None:
    plan = plan_of("snn-surrogate", tasks=["xor", "mnist"], seeds=[0])
    plan = replace(plan, settings=[Settings(surrogate_width=0.7)])
    for quick in (False, True):
        for spec in replace(plan, quick=quick).specs():
            wanted = with_task_defaults(Settings(surrogate_width=0.7), spec.task, quick=quick)
            assert spec.settings == wanted.only(SURROGATE.depends_on)
