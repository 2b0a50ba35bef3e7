"""What Volr uses of Brian2, which ships no types.

A name with an underscore behind it is a variable's value in SI units, without the unit.
"""

from collections.abc import Callable, Mapping, Sequence
from logging import Handler
from typing import Any

import numpy as np
from numpy.typing import NDArray

prefs: Any
defaultclock: Any
second: Quantity

class Quantity:
    def __mul__(self, other: Quantity | float) -> Quantity: ...
    def __rmul__(self, other: Quantity | float | NDArray[Any]) -> Quantity: ...

class BrianLogger:
    tmp_log: str | None
    file_handler: Handler | None

class NeuronGroup:
    name: str
    N: int
    equations: object
    state_updater: Any
    events: Mapping[str, str]
    event_codes: Mapping[str, str]
    I_: Any
    def __init__(
        self,
        N: int,
        model: str,
        *,
        method: str | Callable[..., str],
        threshold: str,
        reset: str,
        refractory: str,
        namespace: Mapping[str, Any],
        name: str,
    ) -> None: ...

class SpikeGeneratorGroup:
    name: str
    N: int
    def __init__(
        self,
        N: int,
        indices: NDArray[np.integer[Any]],
        times: Quantity,
        *,
        sorted: bool,
        name: str,
    ) -> None: ...

class Synapses:
    source: Any
    target: Any
    i: Any
    j: Any
    w_: Any
    pre: Any
    def __init__(
        self,
        source: Any,
        target: Any,
        model: str,
        *,
        on_pre: str,
        delay: Quantity,
        namespace: Mapping[str, Any],
        name: str,
    ) -> None: ...
    def connect(self, *, i: NDArray[np.integer[Any]], j: NDArray[np.integer[Any]]) -> None: ...

class SpikeMonitor:
    i: Any
    t_: Any
    count_: Any
    def __init__(self, source: Any, *, record: bool, name: str) -> None: ...

class StateMonitor:
    V_: Any
    v_: Any
    def __init__(
        self, source: Any, variables: Sequence[str], *, record: bool, when: str, name: str
    ) -> None: ...

class Network:
    def __init__(self, *objects: Any) -> None: ...
    def run(self, duration: Quantity, *, namespace: Mapping[str, Any]) -> None: ...

def get_device() -> Any: ...
def set_device(device: str, *, directory: str) -> None: ...
