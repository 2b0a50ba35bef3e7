from matplotlib.artist import Artist

class Rectangle(Artist):
    def __init__(
        self,
        xy: tuple[float, float],
        width: float,
        height: float,
        *,
        facecolor: str,
        alpha: float,
        linewidth: float,
    ) -> None: ...
