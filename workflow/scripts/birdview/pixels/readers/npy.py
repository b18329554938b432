"""Read NumPy's own files: an array of rows, or a structured one."""

from collections.abc import Sequence
from io import BytesIO
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import Column, name_start, pick

_MAX_NUMBERS, _MAX_DIMENSIONS, _MAX_SIZE = 1 << 16, 32, 1 << 48
"""Of a point, and of an array: one without points may say that it has any others."""
_HEAD = 1 << 16
"""More bytes than a header of version 1 can have."""


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of an array: by name, or by number from 0.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    wanted : sequence of str
        Names of a structured array; or numbers, of an array of any number of
        dimensions the last of which are the numbers of a point.
    path : path-like
        For error messages.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no such array, or does not have the columns.
    """
    return columns_of(read_array(data, path), wanted, path)


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of the columns that `read` can return.

    Parameters and errors are those of `read`.
    """
    return names_of(read_array(data, path))


def names_of(array: NDArray[Any]) -> list[str]:
    """Return the names of an array's columns; none if it has more columns than rows."""
    kinds = array.dtype
    if kinds.names:
        return [name for name in kinds.names if kinds[name].kind in "fiub"]
    if array.ndim < 2 or kinds.kind not in "fiub":
        return []
    width = array.shape[-1]
    is_table = width**2 <= array.size
    return [str(number) for number in range(width)] if is_table else []


def columns_of(
    array: NDArray[Any], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of an array, as `read`."""
    if array.dtype.names:
        flat, names = array.reshape(-1), array.dtype.names
        return pick(wanted, names, lambda name: flat[name], path)
    if array.ndim < 2 or not array.shape[-1]:
        raise ValueError(
            f"{path}: an array of shape {array.shape} found, expected rows of numbers, "
            f"such as (N, 4), or a structured array"
        )
    rows = array.reshape(-1, array.shape[-1])
    numbers = [str(number) for number in range(rows.shape[1])]
    return pick(wanted, numbers, lambda name: rows[:, int(name)], path)


def read_array(data: NDArray[np.uint8], path: PathLike) -> NDArray[Any]:
    """Return the array in a file, which shares the memory of its bytes."""
    head = BytesIO(data[:_HEAD].tobytes())
    try:
        version = npy_format.read_magic(head)
        parse = {
            (1, 0): npy_format.read_array_header_1_0,
            (2, 0): npy_format.read_array_header_2_0,
        }[version]
        shape, is_fortran, dtype = parse(head)
    except KeyError:
        raise ValueError(
            f"{path}: NPY version {version[0]}.{version[1]} found, expected 1.0 or 2.0"
        ) from None
    except (
        MemoryError,
        RecursionError,
        SyntaxError,
        TokenError,
        TypeError,
        ValueError,
    ):
        raise ValueError(
            f"{path}: {name_start(data)} found, expected an NPY file with a whole "
            f"header of shape and type"
        ) from None
    if dtype.hasobject:
        raise ValueError(
            f"{path}: Python objects found, expected numbers: a pickle could run any "
            f"program; save it again as an array of numbers"
        )
    if any(size < 0 for size in shape):
        raise ValueError(f"{path}: shape {shape} found, expected no negative size")
    is_wide = len(shape) > 1 and shape[-1] > _MAX_NUMBERS and not dtype.names
    if is_wide or len(shape) > _MAX_DIMENSIONS or max(shape, default=0) > _MAX_SIZE:
        raise ValueError(
            f"{path}: shape {str(shape)[:80]} found, expected rows of at most "
            f"{_MAX_NUMBERS} numbers"
        )
    body = data[head.tell() :]
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if body.size != expected:
        raise ValueError(
            f"{path}: {body.size} bytes after the header, expected {expected} for "
            f"shape {shape} and {dtype}"
        )
    array = body.view(dtype) if body.size else np.empty(0, dtype)
    return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)
