"""What Volr uses of neo."""

from typing import Any

from neo import io as io
from neo.core.spiketrainlist import SpikeTrainList
from numpy.typing import NDArray
from quantities import Quantity

class AnalogSignal:
    annotations: dict[str, Any]
    array_annotations: dict[str, Any]
    units: Quantity
    t_start: Quantity
    sampling_period: Quantity
    magnitude: NDArray[Any]
    shape: tuple[int, ...]
    def __init__(
        self,
        signal: NDArray[Any],
        *,
        units: str,
        sampling_period: Quantity,
        t_start: Quantity,
        name: str,
        array_annotations: dict[str, Any],
        **annotations: Any,
    ) -> None: ...

class Segment:
    annotations: dict[str, Any]
    index: int
    name: str
    spiketrains: SpikeTrainList
    analogsignals: list[AnalogSignal]
    def __init__(self, *, name: str, index: int, **annotations: Any) -> None: ...

class Block:
    annotations: dict[str, Any]
    segments: list[Segment]
    def __init__(self, *, name: str, **annotations: Any) -> None: ...
