"""The figure of the documentation is of the program's network."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib")

from tools.first_spikes_figure import LEVELS, PICTURE, PROGRAM

from volr.language import to_network


def test_the_figure_is_of_this_network() -> None:
    # A window begins with the end of the sources' and one step of delay; the largest counts two
    # steps after its sources.
    begin = [0, LEVELS + 1, LEVELS + 3, 2 * LEVELS + 4]
    network = to_network(PROGRAM)
    spiking = [each for each in network.populations if each.name not in network.outputs]
    drawn = PICTURE.read_text(encoding="utf-8")
    neurons = sum(each.size for each in spiking)
    assert f"Each of {neurons} neurons spikes once, in a window of {LEVELS + 1} steps" in drawn
    where = [f"{each.name} {step}" for each, step in zip(spiking, begin, strict=True)]
    assert f"begin in the steps {', '.join(where)}." in drawn
