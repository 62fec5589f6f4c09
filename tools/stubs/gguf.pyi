from os import PathLike
from typing import Any

class GGUFReader:
    tensors: list[Any]

    def __init__(self, path: str | PathLike[str]) -> None: ...
