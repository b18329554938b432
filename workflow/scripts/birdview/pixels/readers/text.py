"""Read lines of numbers with blanks between them, as in PCD and PLY files."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import Column


class Text(NamedTuple):
    """Lines of numbers, with blanks between them.

    Attributes
    ----------
    body : ndarray of uint8, shape (size,)
        All lines; blank ones do not count.
    skipped : int
        Lines before those of the points.
    points : int
        Lines that there must be.
    is_last : bool
        Whether nothing may follow.
    """

    body: NDArray[np.uint8]
    skipped: int
    points: int
    is_last: bool


def parse_lines(
    text: Text, names: Sequence[str], types: Sequence[str], path: PathLike
) -> list[Column]:
    """Return the columns of lines of numbers.

    Parameters
    ----------
    text : Text
    names, types : sequence of str
        Of all columns, for error messages; and as NumPy has them.
    path : path-like
        For error messages.

    Raises
    ------
    ValueError
        If there are fewer or more lines, or if one has another number of numbers, or
        some that are not of their types.
    """
    # A float64 holds all numbers of the others.
    is_exact = not {"i8", "u8"}.intersection(kind.strip("<>") for kind in types)
    columns = None
    if is_exact and not text.skipped:
        columns = _parse_fast(text, len(types))
    if columns is None:
        columns = _parse(text, names, types, is_exact, path)
    return [
        _cast(column, kind, f"{path}: {name}")
        for column, kind, name in zip(columns, types, names, strict=True)
    ]


def _parse_fast(text: Text, width: int) -> list[Column] | None:
    from birdview.pixels.readers.decimals import BLANKS, parse_table

    found = parse_table(text.body, BLANKS, width, range(width), text.points)
    if found is None:
        return None
    table, stop = found
    is_more = text.is_last and text.body[stop:].tobytes().strip()
    return None if is_more or len(table) != text.points else [*table.T]


def _parse(
    text: Text,
    names: Sequence[str],
    types: Sequence[str],
    is_exact: bool,
    path: PathLike,
) -> list[Column]:
    """Return the columns, or raise ValueError that says what is wrong."""
    lines = text.body.tobytes().decode("latin-1").splitlines()
    lines = [line for line in lines if line and not line.isspace()][text.skipped :]
    if len(lines) < text.points or (text.is_last and len(lines) > text.points):
        raise ValueError(
            f"{path}: {len(lines)} lines found for {text.points} points, expected one "
            f"for each"
        )
    lines = lines[: text.points]
    if not lines:
        return [np.empty(0, kind) for kind in types]
    record = np.dtype([(f"f{number}", kind) for number, kind in enumerate(types)])
    columns: list[Column]
    table: Column
    try:
        if is_exact:
            table = np.loadtxt(lines, np.float64, comments=None, ndmin=2)
            columns = [*table.T]
        else:
            table = np.atleast_1d(np.loadtxt(lines, record, comments=None))
            columns = [table[f"f{number}"] for number in range(len(types))]
    except (ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: a line is not {len(types)} numbers, expected those of "
            f"{', '.join(names)}: {why}"
        ) from None
    if len(columns) != len(types):
        raise ValueError(
            f"{path}: lines of {len(columns)} numbers, expected {len(types)}: those of "
            f"{', '.join(names)}"
        )
    return columns


def _cast(column: Column, kind: str, where: str) -> Column:
    dtype = np.dtype(kind)
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = column.astype(dtype)
    wrong = numbers != column if dtype.kind in "iu" else np.zeros(0, bool)
    if wrong.any():
        raise ValueError(
            f"{where}: {column[wrong][0]:g} found, expected numbers of {dtype}"
        )
    return numbers
