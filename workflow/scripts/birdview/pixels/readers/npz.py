"""Read archives of NumPy arrays."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import Column, check_decoded, name_start, pick
from birdview.pixels.readers.npy import columns_of, read_array

_SUFFIX = ".npy"


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of the arrays in an archive.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        The name of an array with one number for each point; or the name of another, a
        dot, and a column of it: ``points.0``.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no archive of arrays, or does not have the columns.
    """
    with _whole(data, path):
        archive = ZipFile(BytesIO(data.data))
        entries = {
            entry.filename.removesuffix(_SUFFIX): entry
            for entry in archive.infolist()
            if entry.filename.endswith(_SUFFIX)
        }
    names = [*entries]

    def array_of(name: str) -> Column:
        size = entries[name].file_size
        check_decoded(size, path)
        with _whole(data, path), archive.open(entries[name]) as file:
            # One byte more than it says: then its checksum is compared.
            content = file.read(size + 1)
        return read_array(np.frombuffer(content, np.uint8), f"{path}: {name}")

    arrays = {}
    found = []
    for name in wanted:
        array, _, column = name.rpartition(".")
        if name not in names and array in names:
            if array not in arrays:
                arrays[array] = array_of(array)
            found += columns_of(arrays[array], [column], f"{path}: {array}")
        else:
            found += pick([name], names, array_of, path)
    return found


@contextmanager
def _whole(data: NDArray[np.uint8], path: PathLike) -> Iterator[None]:
    """Turn what zipfile raises for a damaged archive into one line."""
    try:
        yield
    except (
        *(BadZipFile, EOFError, MemoryError, NotImplementedError, OSError),
        *(RuntimeError, ValueError, struct.error, zlib.error),
    ) as error:
        raise ValueError(
            f"{path}: {name_start(data)} found, expected a whole archive of arrays: "
            f"{' '.join(str(error).split())}"
        ) from None
