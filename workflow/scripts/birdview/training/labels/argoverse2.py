"""Read labels of Argoverse 2, a table for each drive."""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.frame import Frame
from birdview.pixels.readers import feather
from birdview.pixels.readers.columns import naming_what_is_missing
from birdview.pixels.scan import read_bytes
from birdview.training.labels.box import Box, make_boxes

_TABLE = "annotations.feather"
_POSITION = ("tx_m", "ty_m", "tz_m")
_SIZE = ("length_m", "width_m", "height_m")
_TURN = ("qw", "qx", "qy", "qz")
_NUMBERS = (*_POSITION, *_SIZE, *_TURN)
_TOLERANCE = 0.01
"""By how much the length of a quaternion may differ from 1."""
_DRIVES = 8
"""Tables that are kept: some threads may each read the scans of a drive."""


@dataclass(frozen=True)
class Argoverse2:
    """Labels of drives: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        The folder of drives, or one of them.
    """

    folder: str
    below: ClassVar[str] = ""
    pattern: ClassVar[str] = _TABLE
    expected: ClassVar[str] = f"Argoverse 2's {_TABLE}"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the table of a scan's drive.

        That is the nearest one in the folders of its name; if there is none, where it
        should be.
        """
        folder = os.path.dirname(scan)
        drive = f"/{folder}".removesuffix("/lidar").removesuffix("/sensors")[1:]
        above = folder
        while not os.path.isfile(self._table_in(above)):
            if not above:
                return (self._table_in(drive),)
            above = os.path.dirname(above)
        return (self._table_in(above),)

    def _table_in(self, folder: str) -> str:
        return os.path.join(self.folder, folder, _TABLE)

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan; none if no row has its timestamp.

        Raises
        ------
        OSError
            If the table is missing or cannot be read.
        ValueError
            If the scan's name is no timestamp, the table is not Argoverse 2's, or a box
            has no size; the message has the row, counted from 1.
        """
        (path,) = self.files(scan)
        name = os.path.basename(scan)
        if not name.isdecimal():
            raise ValueError(
                f"{path}: no labels for the scan {scan}, expected a timestamp in "
                f"nanoseconds as its name, such as 315973157959879000"
            )
        state = os.stat(path)
        table = _read_table(path, state.st_mtime_ns, state.st_size)
        return _make_boxes(table, table.rows.get(int(name), []), frame, path)


class _Table(NamedTuple):
    """The labels of a drive.

    Attributes
    ----------
    kinds : list of str or None
        The class in each row.
    numbers : ndarray of float64, shape (rows, 10)
    rows : dict of int to list of int
        The rows of each timestamp.
    """

    kinds: list[str | None]
    numbers: NDArray[np.float64]
    rows: dict[int, list[int]]


@lru_cache(_DRIVES)
def _read_table(path: str, _modified: int, _size: int) -> _Table:
    with naming_what_is_missing(path, "feather"):
        data = read_bytes(path)
        stamps, *numbers = feather.read(data, ("timestamp_ns", *_NUMBERS), path)
        kinds = feather.read_words(data, "category", path)
    if stamps.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: timestamp_ns holds {stamps.dtype}, expected whole numbers"
        )
    rows: dict[int, list[int]] = {}
    for row, stamp in enumerate(stamps.tolist()):
        rows.setdefault(stamp, []).append(row)
    return _Table(kinds, np.stack(numbers, axis=1).astype(np.float64), rows)


def _make_boxes(table: _Table, rows: list[int], frame: Frame, path: str) -> list[Box]:
    numbers = table.numbers[rows]
    turns = numbers[:, 6:]
    with np.errstate(over="ignore"):
        lengths = np.sqrt((turns * turns).sum(axis=1))
    kinds = []
    for row, values, length in zip(rows, numbers, lengths, strict=True):
        kind, where = table.kinds[row], f"{path}: row {row + 1}"
        if not kind:
            raise ValueError(f"{where}: no category, expected the object's class")
        if not np.isfinite(values).all():
            name, value = next(
                (name, value)
                for name, value in zip(_NUMBERS, values, strict=True)
                if not np.isfinite(value)
            )
            raise ValueError(f"{where}: {name} is {value}, expected a finite number")
        if abs(length - 1) > _TOLERANCE:
            raise ValueError(
                f"{where}: {', '.join(_TURN)} is {length:g} long, expected a "
                f"quaternion of length 1"
            )
        kinds.append(kind)
    rotation = _rotate(*(turns / lengths[:, None]).T)
    lines = [row + 1 for row in rows]
    return make_boxes(kinds, numbers[:, :6], rotation, frame, lines, f"{path}: row")


def _rotate(
    w: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    z: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the matrices of quaternions of length 1, shape (N, 3, 3)."""
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows).transpose(2, 0, 1)
