# Of what runs only in the artist's own Python with torch.
from typing import Any

def __getattr__(name: str) -> Any: ...
