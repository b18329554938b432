"""Read archives of NumPy arrays."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import Column, check_decoded, name_start, pick
from birdview.pixels.readers.npy import columns_of, names_of, read_array

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
    archive = _Archive(data, path)
    names = [*archive.entries]

    arrays = {}
    found = []
    for name in wanted:
        array, _, column = name.rpartition(".")
        if name not in names and array in names:
            if array not in arrays:
                arrays[array] = archive.read(array)
            found += columns_of(arrays[array], [column], f"{path}: {array}")
        else:
            found += pick([name], names, archive.read, path)
    return found


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of the columns that `read` can return.

    Without those of arrays that are no numbers. Parameters and errors are those of
    `read`.
    """
    archive = _Archive(data, path)
    found = []
    for name in archive.entries:
        try:
            array = archive.read(name)
        except ValueError:
            continue
        is_column = array.ndim == 1 and array.dtype.kind in "fiub"
        found += [name] if is_column else [f"{name}.{one}" for one in names_of(array)]
    return found


class _Archive:
    """The arrays of an archive; whatever is wrong with it is a ValueError."""

    def __init__(self, data: NDArray[np.uint8], path: PathLike) -> None:
        self._path, self._start = path, name_start(data)
        with self._whole():
            self._file = ZipFile(BytesIO(data.data))
        self.entries = {
            entry.filename.removesuffix(_SUFFIX): entry
            for entry in self._file.infolist()
            if entry.filename.endswith(_SUFFIX)
        }
        for name, entry in self.entries.items():
            if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise ValueError(
                    f"{path}: {name} is compressed by method {entry.compress_type}, "
                    f"expected {ZIP_STORED} or {ZIP_DEFLATED} (deflate), as NumPy "
                    f"writes archives"
                )

    def read(self, name: str) -> Column:
        """Return an array."""
        size = self.entries[name].file_size
        check_decoded(size, self._path)
        with self._whole(), self._file.open(self.entries[name]) as file:
            # One byte more than it says: then its checksum is compared.
            content = file.read(size + 1)
        return read_array(np.frombuffer(content, np.uint8), f"{self._path}: {name}")

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except (
            *(BadZipFile, EOFError, MemoryError, NotImplementedError, OSError),
            *(RuntimeError, ValueError, struct.error, zlib.error),
        ) as error:
            raise ValueError(
                f"{self._path}: {self._start} found, expected a whole archive of "
                f"arrays: {' '.join(str(error).split())}"
            ) from None
