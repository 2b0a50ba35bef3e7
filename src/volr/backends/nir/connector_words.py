"""A connector in words that JSON can hold, and back. Nothing in the words is trusted."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from volr.backends.nir.projections import KNOWN
from volr.network.connectors import AveragePool, Connector, Pooled

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_NAME: Mapping[str, type[Connector]] = {each.name: each for each in KNOWN}
# More axes, pools or digits are in no file of ours.
_MOST, _LARGEST = 1000, 1 << 40


def in_words(connector: Connector) -> dict[str, Any]:
    """The connector's name and its numbers."""
    if isinstance(connector, Pooled):
        pools = [[list(each.window), list(each.stride)] for each in connector.pools]
        return {"name": connector.name, "pools": pools, "of": in_words(connector.connector)}
    numbers = {each.name: getattr(connector, each.name) for each in fields(cast("Any", connector))}
    # JSON has lists for tuples.
    return {"name": connector.name, **numbers}


def out_of_words(words: Any) -> Connector:
    """The connector of words. Raises ``TypeError`` or ``ValueError`` for any other words."""
    if not isinstance(words, dict):
        raise TypeError("a connector is no object")
    given = cast("dict[str, Any]", words)
    kind = _BY_NAME.get(str(given.get("name")))
    if kind is None:
        raise ValueError(f"a connector is {given.get('name')!r}")
    if kind is Pooled:
        pools = given.get("pools")
        inner = out_of_words(given.get("of"))
        if not isinstance(pools, list) or isinstance(inner, Pooled):
            raise ValueError("a connector has no pools")
        rows = cast("list[Any]", pools)
        if not 0 < len(rows) <= _MOST:
            raise ValueError(f"a connector has {len(rows)} pools")
        return Pooled(tuple(_pool(each) for each in rows), inner)
    names = {each.name for each in fields(cast("Any", kind))}
    if set(given) != names | {"name"}:
        raise ValueError(f"the connector {kind.name} has the fields {', '.join(given)}")
    numbers = {
        key: _whole(each) if key == "groups" else _axes(each)
        for key, each in given.items()
        if key != "name"
    }
    return kind(**numbers)


def _pool(row: Any) -> AveragePool:
    if not isinstance(row, list) or len(cast("list[Any]", row)) != 2:
        raise ValueError("a pool is not a window and a stride")
    window, stride = cast("list[Any]", row)
    return AveragePool(_axes(window), _axes(stride))


def _axes(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list):
        raise TypeError("a connector has no numbers by axis")
    numbers = cast("list[Any]", values)
    if not 0 < len(numbers) <= 2:
        raise ValueError(f"a connector has {len(numbers)} axes")
    return tuple(_whole(each) for each in numbers)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise ValueError(f"a connector has the number {value!r}")
    return value
