"""Of ONNX Runtime, what ``volr.backends.onnx.session`` uses."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from numpy.typing import NDArray

class GraphOptimizationLevel(Enum):
    ORT_DISABLE_ALL = ...

class SessionOptions:
    graph_optimization_level: GraphOptimizationLevel
    intra_op_num_threads: int
    log_severity_level: int
    optimized_model_filepath: str
    def add_session_config_entry(self, key: str, value: str) -> None: ...

class InferenceSession:
    def __init__(
        self, path_or_bytes: str | bytes, sess_options: SessionOptions, providers: Sequence[str]
    ) -> None: ...
    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]: ...
