"""A labelled box."""

from collections.abc import Sequence
from math import atan2, cos, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.frame import Frame
from birdview.pixels.layout import MAX_RANGE


class Box(NamedTuple):
    """A labelled box.

    Attributes
    ----------
    kind : str
        ``Car``, ``Pedestrian`` and so on, as the file says.
    corners : ndarray of float64, shape (4, 3)
        x, y, z in metres in the image's frame, of the corners of the box's bottom:
        front left, front right, rear right, rear left.
    height : float
        In metres, perpendicular to the bottom.
    line : int
        That of the file that it is from, counted from 1; of a table, the row; of a list
        of objects, the object.
    """

    kind: str
    corners: NDArray[np.float64]
    height: float
    line: int

    @property
    def centre(self) -> NDArray[np.float64]:
        """x, y and z of the middle of the bottom, shape (3,)."""
        return self.corners.mean(axis=0)

    @property
    def heading(self) -> float:
        """The direction of the front in radians: 0 is forward, pi / 2 to the left."""
        x, y, _ = self.corners[0] - self.corners[3]
        return atan2(y, x)

    @property
    def size(self) -> tuple[float, float]:
        """Length and width in metres."""
        front_left, front_right, _, rear_left = self.corners
        return (
            float(np.linalg.norm(front_left - rear_left)),
            float(np.linalg.norm(front_left - front_right)),
        )


def lay_bottom(
    length: float, width: float, heading: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of a rectangle around (0, 0), in the order of `Box.corners`.

    Parameters
    ----------
    length, width : float
    heading : float
        In radians, counter-clockwise from the first axis.

    Returns
    -------
    ahead, left : ndarray of float64, shape (4,)
        Along the first axis and the second.
    """
    along = np.array([1, 1, -1, -1]) * length / 2
    across = np.array([1, -1, -1, 1]) * width / 2
    return (
        cos(heading) * along - sin(heading) * across,
        sin(heading) * along + cos(heading) * across,
    )


def turn(heading: float) -> NDArray[np.float64]:
    """Return the matrix that turns points to the left by an angle in radians."""
    sine, cosine = sin(heading), cos(heading)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def make_box(
    kind: str,
    position: Sequence[float],
    size: Sequence[float],
    rotation: NDArray[np.float64],
    frame: Frame,
    where: str,
    line: int,
    origin: str = "center",
) -> Box:
    """Make a box of numbers in the axes of the scan's file.

    Parameters
    ----------
    kind : str
    position : sequence of three float
        x, y and z of the origin.
    size : sequence of three float
        Length, width and height in metres.
    rotation : ndarray of float64, shape (3, 3)
        From the box's axes, which are ahead, to the left and upwards.
    frame : Frame
        Brings points of the scan to the image's frame.
    where : str
        Begins the message of an error.
    line : int
    origin : str
        ``center`` of the box, or of its ``bottom``.

    Raises
    ------
    ValueError
        If it has no size, or is farther away than any sensor sees.
    """
    length, width, height = size
    check_size(length, width, height, where)
    ahead, left = lay_bottom(length, width, 0.0)
    up = np.full(4, -height / 2 if origin == "center" else 0.0)
    # Without BLAS, which rounds in a way of its own on each machine.
    x, y, z = (
        shift + row[0] * ahead + row[1] * left + row[2] * up
        for shift, row in zip(position, rotation, strict=True)
    )
    corners = frame.apply([x, y, z]).T
    if not (np.abs(corners) < MAX_RANGE).all():
        raise ValueError(f"{where}: a box beyond {MAX_RANGE:g} m, expected metres")
    return Box(kind, corners, height, line)


def check_size(length: float, width: float, height: float, where: str) -> None:
    """Raise ValueError, which begins with `where`, if sizes are not those of a box."""
    sizes = f"{where}: a box of {length:g} x {width:g} x {height:g} m"
    if min(length, width, height) <= 0:
        raise ValueError(f"{sizes}, expected sizes above 0")
    if max(length, width, height) >= MAX_RANGE:
        raise ValueError(f"{sizes}, expected metres")
