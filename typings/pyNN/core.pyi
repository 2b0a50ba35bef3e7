from collections.abc import Callable

find: Callable[[str], str | None]
"""A program on the path."""
