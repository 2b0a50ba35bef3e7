"""The first layer that is proposed for a program with other inputs than a task has."""

from __future__ import annotations

import re

import pytest

from volr.errors import DataError
from volr.experiments.runner import task_network
from volr.experiments.tasks import task
from volr.language import to_network


@pytest.mark.parametrize(
    ("program", "name", "layers"),
    [
        (
            "conv [1 14 14] 4 [3 5] pad:1 ⦶ maxpool _ 2 ⦶ dense _ 10",
            "mnist",
            ["conv [1 10 10] 4 [3 5] pad:1", "conv [1 28 28] 4 [3 5] pad:1"],
        ),
        ("avgpool [ 3 32 32 ] 2 // smaller\n⦶ dense _ 10", "fashion", ["avgpool [1 28 28] 2"]),
        ("let b s = conv s 4 3 in b [1 9 9] ⦶ dense _ 10", "digits", ["b [1 8 8]"]),
        ("let s = [1 9 9] in conv s 4 3 ⦶ dense _ 10", "digits", ["[1 8 8]"]),
        ("conv [1 50] 4 3 ⦶ dense _ 10", "mnist", ["conv [1 100] 4 3", "conv [1 784] 4 3"]),
        ("dense [7 7] 10", "digits", ["dense [8 8] 10"]),
        ("dense 5 10", "mnist", ["dense 100 …", "dense 784 …"]),
        ("dense [1 3 3] 2", "xor", ["dense [1 1 2] 2"]),
    ],
)
def test_it_is_the_programs_own_with_another_shape(
    program: str, name: str, layers: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        task_network(task(name), to_network(program))
    first, _, own = str(caught.value.help).partition("; ")
    assert re.findall("`(.*?)`", first) == layers
    assert own == f"the task's own program is `{task(name).program}`"
    for layer in layers:
        # What is proposed is what the task takes.
        whole = re.sub(r"^b ", "dense ", layer).replace("…", "10")
        whole = f"dense {whole} 10" if whole.startswith("[") else whole
        made = to_network(whole if len(whole.split("]")[-1].split()) else f"{whole} 10")
        assert made.input_size in [form.units for form in task(name).forms]
