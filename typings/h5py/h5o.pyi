from typing import Any

class _Info:
    addr: int

def get_info(loc: Any) -> _Info: ...
