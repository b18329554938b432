"""What the readers of all formats share: how columns are found, and limits."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.kinds import HEAD, recognise
from birdview.pixels.schema import suggest

Column: TypeAlias = NDArray[Any]

MAX_DECODED = 2 << 30
"""Bytes that a compressed file may become: a small one could become any size."""

_SHIFTS = {"r": 16, "g": 8, "b": 0, "a": 24}
"""Where the bytes of a packed colour are, as PCL and Open3D pack it."""

_MAX_NAMES = 20


def pick(
    wanted: Sequence[str],
    names: Sequence[str],
    column_of: Callable[[str], Column],
    path: PathLike,
) -> list[Column]:
    """Return the columns that are wanted.

    Parameters
    ----------
    wanted : sequence of str
        Names; or a name with ``.r``, ``.g``, ``.b`` or ``.a`` for a byte of a packed
        colour.
    names : sequence of str
        Those that the file has.
    column_of : function
        Returns a column by its name; is called once for each.
    path : path-like
        For error messages.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If the file has no such column; the message names those that it has.
    """
    columns: dict[str, Column] = {}

    def find(name: str) -> Column:
        if name not in columns:
            columns[name] = column_of(name)
        return columns[name]

    found = []
    for name in wanted:
        packed, _, byte = name.rpartition(".")
        if name in names:
            found.append(find(name))
        elif packed in names and byte in _SHIFTS:
            found.append(_unpack(find(packed), byte, f"{path}: {name}"))
        else:
            known = ", ".join(names[:_MAX_NAMES]) or "none"
            more = len(names) - _MAX_NAMES
            raise ValueError(
                f"{path}: no field {name}{suggest(name, names)}, expected one of those "
                f"in the file: {known}{f' and {more} more' if more > 0 else ''}"
            )
    return found


def _unpack(column: Column, byte: str, where: str) -> Column:
    """Return a byte of the packed colours in a column of 32 bits."""
    if column.dtype.itemsize != 4 or column.dtype.kind not in "fiu":
        raise ValueError(
            f"{where}: {column.dtype} found, expected a packed colour of 32 bits"
        )
    bits = column.astype(column.dtype.newbyteorder("="), copy=False).view(np.uint32)
    return (bits >> np.uint32(_SHIFTS[byte]) & np.uint32(255)).astype(np.uint8)


def name_start(data: NDArray[np.uint8]) -> str:
    """Return what a file is by its first bytes, for error messages."""
    head = data[:HEAD].tobytes()
    kind = recognise(head)
    return kind.name if kind else f"{head[:8]!r}" if head else "an empty file"


def load_library(name: str, path: PathLike) -> Any:
    """Import what one format needs; raise ValueError if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ValueError(
            f"{path}: {missing} is not installed, expected the environment of "
            f"envs/formats.txt: pip install -r envs/formats.txt"
        ) from None


def check_decoded(size: int, path: PathLike) -> None:
    """Raise ValueError if a file would become too large."""
    if size > MAX_DECODED:
        raise ValueError(
            f"{path}: {size} bytes when it is decoded, expected at most {MAX_DECODED}"
        )


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
        columns = _parse_fast(text, len(types), path)
    if columns is None:
        columns = _parse(text, names, types, is_exact, path)
    return [
        _cast(column, kind, f"{path}: {name}")
        for column, kind, name in zip(columns, types, names, strict=True)
    ]


def _parse_fast(text: Text, width: int, path: PathLike) -> list[Column] | None:
    decimals = load_library("birdview.pixels.readers.decimals", path)
    used = range(width)
    found = decimals.parse_table(text.body, decimals.BLANKS, width, used, text.points)
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
