"""Runs put together: by task and condition, in the order that people know."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.experiments.report.conftest import ROW, SPIKING, all_runs

from volr.experiments.conditions import CONDITIONS
from volr.experiments.report.groups import by_task, slug
from volr.experiments.results import Run


def test_tasks_and_conditions_stand_in_their_order_and_runs_by_seed() -> None:
    tasks = by_task(reversed(all_runs().values()))
    assert [each.task for each in tasks] == ["xor", "mnist"]
    xor, mnist = tasks
    assert [group.label for group in xor.groups] == ["ann", "snn-transferred, if_curr_exp"]
    assert [[run.row.seed for run in group.runs] for group in xor.groups] == [[0, 1], [0, 1]]
    assert [group.label for group in mnist.groups] == ["ann"]


def test_conditions_that_are_not_listed_come_last_by_the_alphabet() -> None:
    names = ("b", "ann", "a", "snn-random")
    [found] = by_task(_run(replace(ROW, condition=name)) for name in names)
    assert [group.first.condition for group in found.groups] == ["ann", "snn-random", "a", "b"]
    last = [replace(CONDITIONS[0], name="b"), *CONDITIONS]
    [found] = by_task((_run(replace(ROW, condition=name)) for name in names), last)
    assert [group.first.condition for group in found.groups] == ["b", "ann", "snn-random", "a"]


def test_labels_say_the_source_where_it_is_not_the_usual_one() -> None:
    futhark = replace(ROW, source="futhark", backend="futhark")
    loop = replace(SPIKING, condition="snn-random", source="nest")
    rows = (ROW, futhark, loop, SPIKING, replace(SPIKING, source="futhark"))
    [found] = by_task(map(_run, rows))
    labels = [group.label for group in found.groups]
    assert labels == [
        "ann",
        "ann, futhark",
        "snn-random, if_curr_exp",
        "snn-transferred, if_curr_exp",
        "snn-transferred, futhark, if_curr_exp",
    ]


def _run(row: object) -> Run:
    return Run(row=row)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), min_size=1, max_size=8))
def test_names_are_unique_and_fit_for_files_whatever_a_file_says(
    named: list[tuple[str, str]],
) -> None:
    runs = [Run(row=replace(ROW, task=task, condition=name)) for task, name in named]
    tasks = by_task(runs)
    groups = [group for each in tasks for group in each.groups]
    names = [group.name for group in groups]
    assert len(set(names)) == len(names) == len(set(named))
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    assert sum(len(group.runs) for group in groups) == len(runs)


def test_slug() -> None:
    assert slug("+ Signs", "", "if_curr_exp", "⦶") == "signs-if-curr-exp"
