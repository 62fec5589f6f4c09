"""Numbers of frames in the words of a message: the engine's and the add-on's are the same."""

from collections.abc import Iterable


def spans(numbers: Iterable[int], most: int | None = None) -> str:
    """Rising numbers as spans: "4, 6 to 9"; after `most` of them "...". "" without numbers."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in found[:most])
    return told + (" ..." if most is not None and len(found) > most else "")
