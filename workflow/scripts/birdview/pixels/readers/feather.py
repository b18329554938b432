"""Read tables of Apache Arrow, called Feather."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.arrow import MAGIC, decoded_size
from birdview.pixels.readers.columns import (
    Column,
    check_decoded,
    name_start,
    pick,
)


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of a table; what is missing in one of floats is NaN.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        Names of columns.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no such table, is damaged, or has no such column.
    ModuleNotFoundError
        If pyarrow is not installed.
    """
    table, kinds = _read_table(data, path)
    names = table.column_names

    def column_of(name: str) -> Column:
        if names.count(name) > 1:
            raise ValueError(
                f"{path}: {names.count(name)} columns {name} found, expected one"
            )
        column = table.column(name)
        if not (kinds.is_integer(column.type) or kinds.is_floating(column.type)):
            raise ValueError(
                f"{path}: {name} holds {column.type}, expected numbers of points"
            )
        if column.null_count and kinds.is_integer(column.type):
            raise ValueError(
                f"{path}: {column.null_count} of {len(column)} numbers {name} are "
                f"missing, expected all"
            )
        numbers: Column = column.to_numpy()
        return numbers

    return pick(wanted, names, column_of, path)


def read_words(data: NDArray[np.uint8], name: str, path: PathLike) -> list[str | None]:
    """Return a column of text; what is missing is None.

    Parameters and errors are those of `read`.
    """
    table, kinds = _read_table(data, path)

    def column_of(name: str) -> Column:
        column = table.column(table.column_names.index(name))
        kind = column.type
        if kinds.is_dictionary(kind):
            kind = kind.value_type
        if not (kinds.is_string(kind) or kinds.is_large_string(kind)):
            raise ValueError(f"{path}: {name} holds {column.type}, expected text")
        try:
            return np.array(column.to_pylist(), dtype=object)
        except UnicodeDecodeError:
            raise ValueError(f"{path}: {name} is not UTF-8, expected text") from None

    (column,) = pick([name], table.column_names, column_of, path)
    words: list[str | None] = column.tolist()
    return words


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of the columns that `read` can return.

    Parameters and errors are those of `read`.
    """
    table, kinds = _read_table(data, path)
    names = table.column_names
    return [
        name
        for name, column in zip(names, table.columns, strict=True)
        if names.count(name) == 1
        and (
            kinds.is_floating(column.type)
            or (kinds.is_integer(column.type) and not column.null_count)
        )
    ]


def _read_table(data: NDArray[np.uint8], path: PathLike) -> tuple[Any, Any]:
    """Return the table in a file, and pyarrow's module of types."""
    _check_size(data, path)
    import pyarrow as arrow
    from pyarrow import feather

    try:
        source = arrow.BufferReader(arrow.py_buffer(data.data))
        table = feather.read_table(source, memory_map=False, use_threads=False)
        table.validate()
        _ = table.column_names
    except (arrow.ArrowException, MemoryError, OSError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path}: {name_start(data)} found, expected a whole Feather file: {why}"
        ) from None
    return table, arrow.types


def _check_size(data: NDArray[np.uint8], path: PathLike) -> None:
    """Compare what compressed columns become with the limit."""
    head = data[: len(MAGIC)].tobytes()
    if head.startswith(b"FEA1"):  # pyarrow reads it, but a damaged one ends the process
        raise ValueError(
            f"{path}: Feather version 1 found, expected version 2: write it again with "
            f"pyarrow.feather.write_feather"
        )
    if head != MAGIC:
        raise ValueError(f"{path}: {name_start(data)} found, expected a Feather file")
    try:
        size = decoded_size(data)
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{path}: {name_start(data)} found, expected a whole Feather file: {error}"
        ) from None
    check_decoded(size, path)
