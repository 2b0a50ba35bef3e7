"""A reader refuses the connectors that it does not know, by name and in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from volr.errors import UnsupportedError
from volr.language import to_network
from volr.network import AllToAll, Connector, Network, OneToOne, Population, Projection
from volr.network.connectors import Windows
from volr.network.supported import check_connectors


def mixed() -> Network:
    """A network with one projection of each kind, of which the text is known."""
    network = to_network("dense 3 3 ⦶\n  dense 3 2")
    first, second = network.projections
    return replace(
        network,
        projections=(Projection(first.source, first.target, OneToOne(), first.span), second),
    )


def test_what_is_known_passes() -> None:
    check_connectors(mixed(), (AllToAll, OneToOne), "a reader")
    check_connectors(mixed(), (Connector,), "a reader")


def test_what_is_not_known_is_named_with_its_place_and_what_there_is() -> None:
    with pytest.raises(UnsupportedError) as caught:
        check_connectors(mixed(), (AllToAll,), "a reader")
    shown = str(caught.value)
    assert "a reader lacks the connector 'one_to_one' of the projection input->dense_1" in shown
    assert "1 | dense 3 3" in shown
    assert "it has all_to_all" in shown


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("maxpool [1 4] 2", "lacks `maxpool`, which maxpool_1 is", "maxpool [1 4] 2"),
        ("dense 2 3 ↺ dense 3 3", "lacks loops, and dense_1->dense_1 is one", "dense 3 3"),
        ("dense 2 3 ⊕ dense 2 3", "lacks several projections between two populations", "2 3"),
    ],
)
def test_what_no_reader_knows_yet_is_refused_in_its_place(text: str, what: str, place: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        check_connectors(to_network(text), (Connector,), "a reader")
    assert f"a reader {what}" in str(caught.value)
    assert place in str(caught.value)


def test_the_largest_is_that_of_windows_unless_all_is_known() -> None:
    def of(connector: Connector) -> Network:
        inputs, outputs = Population("x", (1, 4)), Population("y", (1, 2), merge="max")
        return Network((inputs, outputs), (Projection("x", "y", connector),), ("x",), ("y",))

    check_connectors(of(Windows((2,))), (Windows,), "a reader", merges=("sum", "max"))
    check_connectors(of(AllToAll()), (Connector,), "a reader", merges=("sum", "max"))
    with pytest.raises(UnsupportedError, match="over windows alone, and the projection x->y is"):
        check_connectors(of(AllToAll()), (AllToAll, Windows), "a reader", merges=("sum", "max"))


def test_a_way_out_may_be_given() -> None:
    with pytest.raises(UnsupportedError, match="another way") as caught:
        check_connectors(mixed(), (OneToOne,), "a reader", "another way")
    assert "'all_to_all' of the projection dense_1->dense_2" in str(caught.value)
