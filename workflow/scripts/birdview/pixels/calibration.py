"""Calibrations: where a camera is, as files of KITTI's format say."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.lines import parse_numbers, read_lines

_TRANSFORMS = {
    "Tr_velo_to_cam": ("R0_rect", "P2"),  # KITTI's object benchmark
    "Tr_velo_cam": ("R_rect", "P2"),  # its tracking benchmark
    "Tr": (None, "P2"),  # its odometry benchmark, which rectifies already
    "Tr_velo_to_cam_0": ("R0_rect", "P0"),  # Waymo, whose first camera looks ahead
}
"""Keys of the transform, and those of the rotation and the projection beside it."""
_TOLERANCE = 0.01
"""By how much the rows of a rotation may miss being perpendicular unit vectors."""


class Calibration(NamedTuple):
    """The calibration of a scan.

    Attributes
    ----------
    path : path-like
        The file, for error messages.
    to_camera : ndarray of float64, shape (4, 4)
        From the axes of the scan's file to those of the rectified camera: x right, y
        down, z forward, in metres.
    projection : ndarray of float64, shape (3, 4), or None
        From there to the image: (u, v, 1) times the depth. None if the file has none.
    """

    path: PathLike
    to_camera: NDArray[np.float64]
    projection: NDArray[np.float64] | None

    @property
    def to_scan(self) -> NDArray[np.float64]:
        """The inverse of `to_camera`."""
        return np.linalg.inv(self.to_camera).astype(np.float64)


def multiply(
    left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply two matrices without BLAS, which rounds otherwise on other machines."""
    total = np.zeros((len(left), right.shape[1]))
    for col, row in zip(left.T, right, strict=True):
        total += np.multiply.outer(col, row)
    return total


def read_calibration(path: PathLike) -> Calibration:
    """Read a calibration of KITTI's object, tracking or odometry benchmark, or Waymo's.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is none; the message names the file and the key.
    """
    lines = tuple(line for _, line in read_lines(path))
    try:
        found = _parse(lines)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return found._replace(path=path)


@lru_cache(maxsize=64)  # most scans of a data set have the same
def _parse(lines: tuple[str, ...]) -> Calibration:
    """Parse the lines of a calibration; messages of errors have no path."""
    words = {}
    for line in lines:
        key, _, text = line.partition(":")
        if not text:  # of the tracking benchmark, some without a colon
            key, _, text = line.partition(" ")
        words[key.strip()] = text.split()

    def matrix(key: str, rows: int, cols: int) -> NDArray[np.float64]:
        numbers = parse_numbers(words[key], key)
        if len(numbers) != rows * cols:
            raise ValueError(
                f"{key}: {len(numbers)} numbers, expected {rows * cols}, as in "
                f"KITTI's calib folder"
            )
        return np.reshape(numbers, (rows, cols))

    transform = next((key for key in _TRANSFORMS if key in words), None)
    if transform is None:
        raise ValueError(
            f"no {', '.join(_TRANSFORMS)}, expected one of them, as in KITTI's "
            f"calib folder"
        )
    rotation, projection = _TRANSFORMS[transform]
    to_camera = np.eye(4)
    to_camera[:3] = matrix(transform, 3, 4)
    keys = transform
    if rotation:
        if rotation not in words:
            raise ValueError(
                f"{transform} without {rotation}, expected both, as in KITTI's "
                f"calib folder"
            )
        rectify = np.eye(4)
        rectify[:3, :3] = matrix(rotation, 3, 3)
        to_camera = multiply(rectify, to_camera)
        keys = f"{rotation} and {transform}"
    turned = to_camera[:3, :3]
    with np.errstate(over="ignore", invalid="ignore"):
        is_rotation = (np.abs(turned @ turned.T - np.eye(3)) < _TOLERANCE).all()
    if not is_rotation or np.linalg.det(turned) < 0:
        raise ValueError(f"{keys} do not rotate, expected rotations")
    found = matrix(projection, 3, 4) if projection in words else None
    return Calibration("", to_camera, found)
