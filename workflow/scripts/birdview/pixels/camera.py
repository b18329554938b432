"""Cameras: which points of a scan one sees."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.calibration import multiply, read_calibration
from birdview.pixels.frame import Frame
from birdview.pixels.png import read_size
from birdview.pixels.rigid import compose

_PIECE = 1 << 14
"""Points that are looked at at once: more do not fit into the cache of a processor."""

_Row = tuple[float, float, float, float]


class Camera(NamedTuple):
    """What a camera sees.

    Attributes
    ----------
    matrix : tuple of three rows of four float
        From (x, y, z, 1) in the axes of the scan's file to (u, v, 1) times the depth; u
        is the column and v the row in the camera's image.
    width, height : int
        Of the camera's image in pixels.
    """

    matrix: tuple[_Row, _Row, _Row]
    width: int
    height: int

    @property
    def digest(self) -> str:
        """The SHA-256 of the numbers."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()

    def seen_after(self, frame: Frame) -> "Camera":
        """Return the camera for points that a frame brings to its scan's axes."""
        if frame.is_identity:
            return self
        matrix = compose(np.array(self.matrix), frame.motion)
        return self._replace(matrix=_as_rows(matrix))

    def find_seen(self, points: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
        """Return which points the camera sees: those in front of it and in its image.

        That is: with (u w, v w, w) = matrix (x, y, z, 1), in float64 and in this order,
        w > 0, 0 <= u < width and 0 <= v < height. Nothing else counts, such as what is
        in front of a point.

        Parameters
        ----------
        points : sequence of four ndarrays
            x, y and z in metres in the axes of the file, and intensity.

        Returns
        -------
        ndarray of int, shape (M,)
            The numbers of the points, sorted. Those that are not finite are among them:
            they are counted as such.
        """
        found = [np.empty(0, dtype=np.intp)]
        with np.errstate(over="ignore", invalid="ignore"):  # as in `decode_scan`
            for start in range(0, len(points[0]), _PIECE):
                piece = [column[start : start + _PIECE] for column in points]
                found.append(start + self._find_seen(piece))
        return np.concatenate(found)

    def _find_seen(self, points: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
        *position, intensity = points
        position = [values.astype(np.float64) for values in position]
        across, down, ahead = self.matrix
        depth = _project(ahead, position)
        is_seen = ~(np.isfinite(depth) & np.isfinite(intensity))
        # Half of the points are behind the camera, and most others beside its image.
        left = np.flatnonzero(depth > 0)
        for row, size in ((across, self.width), (down, self.height)):
            values = _project(row, [column[left] for column in position]) / depth[left]
            left = left[(values >= 0) & (values < size)]
        is_seen[left] = True
        return np.flatnonzero(is_seen)


def _project(row: _Row, position: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the product of a row and (x, y, z, 1), without BLAS, as in `frame`."""
    total = position[0] * row[0]
    for factor, values in zip(row[1:3], position[1:], strict=True):
        total += values * factor
    total += row[3]
    return total


def read_camera(calib: PathLike, image: PathLike | tuple[int, int]) -> Camera:
    """Read what the camera of a scan sees.

    Parameters
    ----------
    calib : path-like
        The scan's calibration, for `birdview.pixels.calibration.read_calibration`.
    image : path-like or tuple of two int
        The camera's image, a PNG of which only the header is read; or its width and
        height in pixels.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is not what it should be; the message names it.
    """
    try:
        calibration = read_calibration(calib)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{calib}: no such file, expected the calibration of the scan's camera"
        ) from None
    if calibration.projection is None:
        raise ValueError(
            f"{calib}: no projection, expected P2, or P0 with Tr_velo_to_cam_0"
        )
    try:
        width, height = image if isinstance(image, tuple) else read_size(image)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{image}: no such file, expected the camera's image, a PNG, or its size: "
            f"`camera_view: {{image: [1242, 375]}}`"
        ) from None
    matrix = multiply(calibration.projection, calibration.to_camera)
    return Camera(_as_rows(matrix), width, height)


def _as_rows(matrix: NDArray[np.float64]) -> tuple[_Row, _Row, _Row]:
    # Plus 0.0, because -0.0 is another text in a digest.
    across, down, ahead = (tuple(row) for row in (matrix + 0.0).tolist())
    return across, down, ahead
