"""JSON tables: lists of rows, in files that may be larger than the memory."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from birdview.files import PathLike

_CHUNK = 1 << 20
"""Characters that are read at once; no row has as many."""
_BETWEEN = re.compile(r"[\s,]*")


def read_rows(path: PathLike, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, reading as much of its text as each needs.

    Parameters
    ----------
    path : path-like
        A list of objects.
    keys : sequence of str
        Which they have at least.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is no such list; the message names the file and the row or the character.
    """
    for number, row in enumerate(_parse(path), start=1):
        if not isinstance(row, dict) or not row.keys() >= {*keys}:
            has = ", ".join(row) if isinstance(row, dict) else repr(row)
            raise ValueError(
                f"{path}: row {number}: {has[:99]}, expected {', '.join(keys)}"
            )
        yield row


def _parse(path: PathLike) -> Iterator[Any]:
    parse = json.JSONDecoder().raw_decode
    # What is no UTF-8 is no JSON either, which the parser says.
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text, dropped = file.read(_CHUNK), 0  # the latter in characters
        position, is_end = _skip(text, 0) + 1, False
        if text[position - 1 : position] != "[":
            raise ValueError(f"{path}: begins with {text[:9]!r}, expected a list: [")
        while True:
            position = _skip(text, position)
            try:
                value, end = parse(text, position)
            except json.JSONDecodeError as error:
                if text[position : position + 1] == "]":
                    return
                if is_end or len(text) - position > _CHUNK:
                    raise ValueError(
                        f"{path}: character {dropped + error.pos}: {error.msg}, "
                        f"expected a list of rows; is the file whole?"
                    ) from None
                dropped += position
                more = file.read(_CHUNK)
                text, position, is_end = text[position:] + more, 0, not more
                continue
            yield value
            position = end


def _skip(text: str, position: int) -> int:
    """Return where the next value of a list begins."""
    found = _BETWEEN.match(text, position)
    return found.end() if found else position
