"""Drawings of kernels, pools, sums and loops."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from tests.network.drawing.test_svg import SVG, check_geometry, picture
from tests.network.examples import PARALLEL
from tests.shaped_programs import ShapedProgram, shaped_programs

from volr import to_network
from volr.network import network_svg


def words(drawing: str) -> list[str]:
    root = ET.fromstring(drawing)
    return [each.text or "" for each in root.iter(f"{SVG}text") if each.get("class") == "written"]


def test_kernels_pools_and_identities_stand_at_their_arrows():
    network = to_network(
        "conv [1 9 8] 4 [3 2] pad:[1 0] ⦶ avgpool _ 2 ⦶ conv _ 4 1 ⊕ id _ ⦶ maxpool _ 2 ⦶ dense _ 5"
    )
    check_geometry(picture(network))
    assert words(network_svg(network)) == [
        *("conv 3x2", "pad:1x0", "avgpool 2 conv 1", "⊕ avgpool 2 id", "windows 2"),
    ]
    drawn = picture(network)
    assert drawn["maxpool_3"].lines == ("maxpool_3", "4×2×1 max")
    assert words(network_svg(PARALLEL)) == []


@given(shaped_programs())
def test_boxes_and_arrows_of_every_program(program: ShapedProgram):
    network = to_network(program.text)
    drawn = picture(network)
    check_geometry(drawn)
    assert sorted(box.name for box in drawn.rectangles) == sorted(network.by_name)
    ends = {(each.source, each.target, each.back) for each in network.projections}
    assert len(drawn.lines) == len(ends)


def test_a_loop_leads_back_above_all_boxes():
    drawn = picture(to_network("dense 3 4 ↺ (dense 4 5 ⦶ dense 5 4) ↺ dense 4 4 ⦶ dense 4 2"))
    check_geometry(drawn)
    lines = {line.name: line.points for line in drawn.lines}
    top = min(box.y for box in drawn.rectangles)
    for name, source in (("dense_1->dense_1", "dense_1"), ("dense_2->dense_1", "dense_2")):
        along = lines[name]
        assert along[0][0] == drawn[source].x + drawn[source].width
        assert along[-1][0] == drawn["dense_1"].x
        assert min(y for _, y in along) < top
