from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray
from quantities import Quantity

class SpikeTrain:
    annotations: dict[str, Any]
    units: Quantity
    t_start: Quantity
    t_stop: Quantity
    magnitude: NDArray[Any]

class SpikeTrainList:
    @classmethod
    def from_spike_time_array(
        cls,
        spike_time_array: NDArray[Any],
        channel_id_array: NDArray[Any],
        all_channel_ids: NDArray[Any],
        t_stop: Quantity,
        units: str,
        t_start: Quantity,
        **annotations: Any,
    ) -> SpikeTrainList: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> SpikeTrain: ...
    def __iter__(self) -> Iterator[SpikeTrain]: ...
