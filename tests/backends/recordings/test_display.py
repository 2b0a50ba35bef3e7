"""What a notebook shows of recordings, against the raw arrays."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np

from volr.backends.base import Recordings
from volr.backends.recordings.raster import HIGHEST, MOST_SPIKES, WIDTH

SVG = "{http://www.w3.org/2000/svg}"


def shown(recordings: Recordings) -> ET.Element:
    return ET.fromstring(recordings._repr_html_())


def ticks(found: ET.Element) -> list[list[tuple[float, float]]]:
    """The places of the spikes in the picture, by population."""
    return [
        [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)v", each.get("d") or "")]
        for each in found.iter(f"{SVG}path")
    ]


def test_the_table_has_the_numbers_of_the_arrays() -> None:
    rng = np.random.default_rng(0)
    spikes = {"a": rng.random((100, 4, 6)) < 0.1}
    spikes["a"][:, :, 2] = False
    counts = {"b": rng.integers(0, 9, (4, 3))}
    found = shown(Recordings(counts, spikes, {"b": np.zeros((100, 4, 3))}, dt=0.5))
    cells = [each.text for each in found.iter("td")]
    total, mean = int(spikes["a"].sum()), spikes["a"].sum() / 24
    silent = f"{int((counts['b'].sum(axis=0) == 0).sum())}"
    assert cells == [
        *("a", "6", f"{total}", f"{mean:.2f}", f"{mean / 0.05:.1f}", "1"),
        *("b", "3", f"{counts['b'].sum()}", f"{counts['b'].mean():.2f}"),
        *(f"{counts['b'].mean() / 0.05:.1f}", silent),
    ]
    said = " ".join(each.text or "" for each in found.iter("p"))
    assert f"the first stimulus: {int(spikes['a'][:, 0].sum())} spikes" in said
    assert "membranes of b" in said
    assert "4 stimuli of 100 steps, 50 ms; 0.0 MB" in said


def test_the_picture_has_a_tick_for_each_spike_of_the_first_stimulus() -> None:
    spikes = {name: np.zeros((50, 2, 4), np.bool_) for name in ("one", "<two>")}
    spikes["one"][[10, 20], 0, [0, 3]] = True
    spikes["<two>"][30, 0, 1] = True
    spikes["one"][:, 1] = True  # of the other stimulus
    found = shown(Recordings({}, spikes, dt=0.5))
    first, second = ticks(found)
    assert (len(first), len(second)) == (2, 1)
    (x, y), (later, below) = first
    assert x < later < second[0][0]
    assert y < below < second[0][1]
    assert [each.text for each in found.iter(f"{SVG}text")] == ["one", "<two>"]


def test_many_spikes_and_neurons_stay_a_small_picture() -> None:
    spikes = {"a": np.ones((200, 1, 3000), np.bool_), "b": np.ones((200, 1, 10), np.bool_)}
    recordings = Recordings({}, spikes)
    found = shown(recordings)
    assert sum(map(len, ticks(found))) <= MOST_SPIKES + 1
    picture = next(iter(found.iter(f"{SVG}svg")))
    assert int(picture.get("height") or 0) < 2 * HIGHEST
    assert all(0 <= x <= WIDTH for each in ticks(found) for x, _ in each)
    assert len(recordings._repr_html_()) < 60_000
    assert f"of {3010 * 200:,} spikes" in " ".join(each.text or "" for each in found.iter("p"))


def test_nothing_recorded_is_shown_as_nothing() -> None:
    assert [each.text for each in shown(Recordings({})).iter("p")] == ["0 stimuli; 0.0 MB"]
    empty = Recordings({"a": np.zeros((0, 3), np.int64)}, {"a": np.zeros((9, 0, 3), np.bool_)})
    assert [each.text for each in shown(empty).iter("td")] == ["a", "3", "0", "0.00", "3"]
