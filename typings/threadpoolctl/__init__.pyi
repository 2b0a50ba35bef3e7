"""What Volr uses of threadpoolctl, which ships no types."""

from contextlib import AbstractContextManager
from typing import Any

def threadpool_limits(limits: int) -> AbstractContextManager[object]: ...
def threadpool_info() -> list[dict[str, Any]]: ...
