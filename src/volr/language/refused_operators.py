"""What Python says where an operator stands between a network and something else."""

from __future__ import annotations

from typing import Never, NoReturn

_MEANT = {
    ">>": "one after the other",
    "<<": "a loop",
    "|": "side by side",
    "+": "added up",
}
"""The operators between networks."""
_LONGEST = 60


class Refusing:
    """The operators that networks do not have, and those with what is no network on the left.

    For a type checker they take nothing, so it refuses them as well.
    """

    __slots__ = ()

    def __rrshift__(self, other: Never) -> NoReturn:
        raise no_network(">>", other)

    def __rlshift__(self, other: Never) -> NoReturn:
        raise no_network("<<", other)

    def __ror__(self, other: Never) -> NoReturn:
        raise no_network("|", other)

    def __radd__(self, other: Never) -> NoReturn:
        raise no_network("+", other)

    def __sub__(self, other: Never) -> NoReturn:
        raise no_operator("-")

    def __rsub__(self, other: Never) -> NoReturn:
        raise no_operator("-")

    def __mul__(self, other: Never) -> NoReturn:
        raise no_operator("*")

    def __rmul__(self, other: Never) -> NoReturn:
        raise no_operator("*")

    def __matmul__(self, other: Never) -> NoReturn:
        raise no_operator("@")

    def __rmatmul__(self, other: Never) -> NoReturn:
        raise no_operator("@")

    def __truediv__(self, other: Never) -> NoReturn:
        raise no_operator("/")

    def __rtruediv__(self, other: Never) -> NoReturn:
        raise no_operator("/")

    def __and__(self, other: Never) -> NoReturn:
        raise no_operator("&")

    def __rand__(self, other: Never) -> NoReturn:
        raise no_operator("&")


def no_network(sign: str, other: object) -> TypeError:
    """The error for an operator with something else than a network on one side."""
    found = repr(other)
    found = found if len(found) <= _LONGEST else f"{found[:_LONGEST]}…"
    return TypeError(
        f"`{sign}` joins two networks, such as `dense(2, 4)`, and one side is {found} "
        f"({type(other).__name__})"
    )


def no_operator(sign: str) -> TypeError:
    """The error for an operator that networks do not have."""
    listed = ", ".join(f"`{each}` ({meant})" for each, meant in _MEANT.items())
    return TypeError(
        f"networks have no `{sign}`: their operators are {listed}; "
        "`repeat(3, network)` is a network three times in a row"
    )
