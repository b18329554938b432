"""Read text files line by line, and the numbers in a line."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from birdview.files import PathLike


def read_lines(path: PathLike) -> list[tuple[int, str]]:
    """Return the lines of a text file that are not blank, and their numbers.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is no UTF-8 text. A byte order mark may be in front.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text, expected a text file") from None
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line) for number, line in lines if line.strip()]


def parse_numbers(words: Sequence[str], where: str) -> list[float]:
    """Return words as finite numbers; raise ValueError, which begins with `where`."""
    try:
        numbers = [*map(float, words)]
    except ValueError as error:
        raise ValueError(f"{where}: {error}, expected a number") from None
    if not all(map(isfinite, numbers)):
        word = next(word for word in words if not isfinite(float(word)))
        raise ValueError(f"{where}: {word}, expected a finite number")
    return numbers
