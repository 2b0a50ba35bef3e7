class StoreInfo:
    byte_offset: int | None
    size: int
