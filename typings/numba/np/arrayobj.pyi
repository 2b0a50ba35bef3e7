from typing import Any

make_array: Any
