"""The programs that come with Volr."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from volr.errors import ProgramError
from volr.experiments.programs import PROGRAMS, program_source
from volr.experiments.tasks import check_fits, task
from volr.language import to_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_takes_an_image_and_fits_its_tasks(name: str) -> None:
    network = to_network(program_source(name))
    assert [network[each].shape for each in network.inputs] == [(1, 28, 28)]
    for each in ("mnist", "fashion"):
        check_fits(task(each), network.input_size, network.output_size)


def test_lenet_has_the_layers_of_the_paper() -> None:
    network = to_network(program_source("lenet"))
    maps = [(6, 24, 24), (6, 12, 12), (16, 8, 8), (16, 4, 4)]
    assert [each.shape for each in network.layers] == [*maps, (120,), (84,), (10,)]
    means = to_network(program_source("lenet-avgpool"))
    # Means need no neurons of their own.
    assert [each.shape for each in means.layers] == [maps[0], maps[2], (120,), (84,), (10,)]
    assert sum(map(means.weight_count, means.projections)) == (
        6 * 25 + 16 * 6 * 25 + 16 * 16 * 120 + 120 * 84 + 84 * 10
    )


def test_the_residual_blocks_have_an_identity() -> None:
    network = to_network(program_source("residual"))
    beside = [each for each in network.projections if not each.connector.trained]
    assert beside
    for each in beside:
        assert len(network.incoming[each.target]) == 2
        assert network[each.source].shape == network[each.target].shape


def test_digits_are_taken_in_any_shape_of_as_many_neurons() -> None:
    for program in ("dense [1 8 8] 10", "dense [8 8] 10", "conv [1 8 8] 2 3 ⦶ dense _ 10"):
        network = to_network(program)
        check_fits(task("digits"), network.input_size, network.output_size)
        assert network.input_size == math.prod(network[network.inputs[0]].shape) == 64


def test_a_file_with_such_a_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet").write_text("dense 2 2")
    assert program_source("lenet").text == "dense 2 2"
    with pytest.raises(ProgramError, match="there is no such file"):
        program_source("lenat")
