"""A labelled box."""

from math import atan2, cos, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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
        That of the file that it is from, counted from 1; of a table, the row.
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
