from numpy.typing import ArrayLike

class Sequence:
    """A parameter of one cell that is a list of numbers."""

    def __init__(self, value: ArrayLike) -> None: ...
