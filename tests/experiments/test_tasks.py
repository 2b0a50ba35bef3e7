"""The tasks: their names, programs and sizes, and the refusal of programs that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from volr.errors import DataError
from volr.experiments.tasks import TASKS, check_fits, check_model, task
from volr.language import to_network

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = {
    "nand": "dense 2 4 ⦶ dense 4 2",
    "xor": "dense 2 4 ⦶ dense 4 2",
    "digits": "dense 64 64 ⦶ dense 64 10",
    "mnist": "dense 100 100 ⦶ dense 100 10",
    "mnist-parallel": "dense 100 20 ⦶ (dense 20 10 ⊖ dense 20 10) ⦶ dense 20 10",
    "fashion": "dense 784 100 ⦶ dense 100 10",
}


def test_the_six_tasks_have_their_default_programs() -> None:
    assert {each.name: each.program for each in TASKS} == PROGRAMS
    assert [task(name).name for name in PROGRAMS] == list(PROGRAMS)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("mnits", "mnist"), ("nandd", "nand"), ("mnist_parallel", "mnist-parallel")],
)
def test_an_unknown_task_gets_the_nearest_and_all_there_are(name: str, nearest: str) -> None:
    with pytest.raises(DataError) as caught:
        task(name)
    assert caught.value.message == f"there is no task {name!r}"
    assert caught.value.help == (
        f"did you mean {nearest!r}? choose one of nand, xor, digits, mnist, mnist-parallel, fashion"
    )


def test_a_name_like_no_other_gets_the_list_alone() -> None:
    with pytest.raises(DataError) as caught:
        task("")
    assert caught.value.help == "choose one of nand, xor, digits, mnist, mnist-parallel, fashion"


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("nand", 2, 2),
        ("xor", 2, 2),
        ("digits", 64, 10),
        ("mnist", 100, 10),
        ("mnist", 784, 10),
        ("fashion", 784, 10),
    ],
)
def test_a_program_that_fits_passes(name: str, inputs: int, outputs: int) -> None:
    check_fits(task(name), inputs, outputs)


def test_a_program_with_other_inputs_is_told_what_the_task_offers() -> None:
    with pytest.raises(DataError) as caught:
        check_fits(task("mnist"), 64, 10)
    assert caught.value.message == (
        "this program does not fit the task mnist: the program takes 64 inputs, and the task "
        "offers 100 (10 × 10 pixels) or 784 (28 × 28 pixels)"
    )
    assert caught.value.help == (
        "begin the program with `dense 100 …` or `dense 784 …`; "
        "the task's own program is `dense 100 100 ⦶ dense 100 10`"
    )


def test_wrong_inputs_and_outputs_are_reported_together() -> None:
    with pytest.raises(DataError, match=r"takes 3 inputs.*gives 1 outputs.*2 classes") as caught:
        check_fits(task("xor"), 3, 1)
    assert caught.value.help is not None
    assert "begin the program with `dense 2 …`; end it with `dense … 2`" in caught.value.help


@pytest.mark.parametrize(("name", "inputs"), [("nand", 2), ("xor", 2), ("digits", 64)])
def test_tasks_without_files_load_for_their_own_program(name: str, inputs: int) -> None:
    if name == "digits":
        pytest.importorskip("sklearn")
    data = task(name).load(seed=1)
    assert data.train.units == inputs
    assert data.classes == task(name).classes
    again = task(name).load(seed=1, inputs=inputs)
    np.testing.assert_array_equal(data.test.inputs, again.test.inputs)
    other = task(name).load(seed=2)
    # Points are drawn; images stay as they are.
    assert np.array_equal(data.test.inputs, other.test.inputs) == (name == "digits")


def test_nand_and_xor_label_the_same_points_differently() -> None:
    nand, xor = task("nand").load(seed=3), task("xor").load(seed=3)
    differ = nand.test.labels != xor.test.labels
    np.testing.assert_array_equal(differ, nand.test.inputs.sum(axis=1) == 0)


def test_mnist_loads_at_the_size_of_the_program_and_whatever_the_seed(mnist_dir: Path) -> None:
    small = task("mnist").load(seed=1, data_dir=mnist_dir)
    parallel = task("mnist-parallel").load(seed=2, inputs=100, data_dir=mnist_dir)
    assert small.train.units == 100
    np.testing.assert_array_equal(small.train.inputs, parallel.train.inputs)
    np.testing.assert_array_equal(small.test.labels, parallel.test.labels)
    assert task("mnist").load(inputs=784, data_dir=mnist_dir).test.units == 784


def test_a_size_or_seed_that_is_not_on_offer_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match="takes 196 inputs"):
        task("mnist").load(inputs=196, data_dir=tmp_path)
    with pytest.raises(DataError, match="the seed is -1; a seed is 0 or more"):
        task("mnist").load(seed=-1, data_dir=tmp_path)


def test_a_model_on_another_task_is_told_its_own(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DataError, match="was trained on xor, and does not fit") as caught:
        check_model(task("digits"), to_network("dense 2 2"), "xor")
    assert caught.value.help == "name its own task: --task xor"
    # Nothing is known of these.
    for trained in (None, 3, "my task", "digits"):
        with pytest.raises(DataError, match="this program does not fit"):
            check_model(task("digits"), to_network("dense 2 2"), trained)
        check_model(task("nand"), to_network("dense 2 2"), trained if trained != "digits" else None)
    check_model(task("xor"), to_network("dense 2 2"), "xor")
    check_model(task("mnist"), to_network("dense 100 10"), "mnist-parallel")
    assert not caplog.records
    check_model(task("nand"), to_network("dense 2 2"), "xor")
    assert caplog.messages == ["the model was trained on xor, and not on nand"]
