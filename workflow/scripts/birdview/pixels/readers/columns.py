"""What the readers of all formats share: how columns are found, and limits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

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


@contextmanager
def naming_what_is_missing(path: PathLike, form: str) -> Iterator[None]:
    """Make an error of one line of a library that is not installed.

    Parameters
    ----------
    path : path-like
        Of the file that it is to read.
    form : str
        The format.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ValueError(
            f"{path}: {missing} is not installed, expected it to read the format "
            f"{form}: pip install -r envs/formats.txt"
        ) from None


def name_start(data: NDArray[np.uint8]) -> str:
    """Return what a file is by its first bytes, for error messages."""
    head = data[:HEAD].tobytes()
    kind = recognise(head)
    return kind.name if kind else f"{head[:8]!r}" if head else "an empty file"


def check_decoded(size: int, path: PathLike) -> None:
    """Raise ValueError if a file would become too large."""
    if size > MAX_DECODED:
        raise ValueError(
            f"{path}: {size} bytes when it is decoded, expected at most {MAX_DECODED}"
        )
