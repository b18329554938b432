"""A labelled box."""

from collections.abc import Sequence
from math import atan2, cos, sin
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.frame import Frame
from birdview.pixels.layout import MAX_RANGE

Numbers: TypeAlias = float | NDArray[np.float64]


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
        front_left, front_right, rear_right, rear_left = self.corners
        middle: NDArray[np.float64] = front_left + front_right + rear_right + rear_left
        return middle / 4

    @property
    def bottom(self) -> float:
        """The z of `centre`."""
        return float(self.centre[2])

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
    length: Numbers, width: Numbers, heading: Numbers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of rectangles around (0, 0), in the order of `Box.corners`.

    Parameters
    ----------
    length, width : float or ndarray of float64, shape (N,)
    heading : float or ndarray of float64, shape (N,)
        In radians, counter-clockwise from the first axis.

    Returns
    -------
    ahead, left : ndarray of float64, shape (4,) or (N, 4)
        Along the first axis and the second.
    """
    along = np.multiply.outer(length, [0.5, 0.5, -0.5, -0.5])
    across = np.multiply.outer(width, [0.5, -0.5, -0.5, 0.5])
    cosine, sine = (turned[..., None] for turned in _cos_sin(heading))
    return cosine * along - sine * across, sine * along + cosine * across


def _cos_sin(angle: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cosine and sine without NumPy, whose last bits depend on the processor."""
    angles = np.asarray(angle, dtype=np.float64)
    found = [(cos(one), sin(one)) for one in angles.ravel().tolist()]
    cosine, sine = np.array(found).reshape(-1, 2).T
    return cosine.reshape(angles.shape), sine.reshape(angles.shape)


def turn(heading: Numbers) -> NDArray[np.float64]:
    """Return the matrices that turn points to the left by angles in radians."""
    cosine, sine = _cos_sin(heading)
    rotation = np.zeros((*cosine.shape, 3, 3))
    rotation[..., 0, 0] = rotation[..., 1, 1] = cosine
    rotation[..., 1, 0], rotation[..., 0, 1] = sine, -sine
    rotation[..., 2, 2] = 1
    return rotation


def make_boxes(
    kinds: Sequence[str],
    numbers: Sequence[Sequence[float]] | NDArray[np.float64],
    rotation: NDArray[np.float64],
    frame: Frame,
    lines: Sequence[int],
    where: str,
    origin: str = "center",
) -> list[Box]:
    """Make the boxes of a scan of numbers in the axes of its file.

    Parameters
    ----------
    kinds : sequence of N str
    numbers : array-like of float64, shape (N, 6)
        x, y and z of the origin, length, width and height, in metres.
    rotation : ndarray of float64, shape (N, 3, 3)
        From each box's axes, which are ahead, to the left and upwards.
    frame : Frame
        Brings points of the scan to the image's frame.
    lines : sequence of N int
    where : str
        With the number of the line behind it, begins the message of an error.
    origin : str
        ``center`` of the box, or of its ``bottom``.

    Raises
    ------
    ValueError
        If a box has no size, or is farther away than any sensor sees.
    """
    if not kinds:
        return []
    numbers = np.asarray(numbers, dtype=np.float64)
    position, sizes = numbers[:, :3, None], numbers[:, 3:]
    check_sizes(sizes, lines, where)
    length, width, height = sizes.T
    ahead, left = lay_bottom(length, width, np.zeros(len(kinds)))
    up = (-height / 2 if origin == "center" else 0 * height)[:, None]
    # Without BLAS, which rounds in a way of its own on each machine.
    with np.errstate(over="ignore", invalid="ignore"):
        x, y, z = (
            position[:, axis]
            + (rotation[:, axis, :1] * ahead)
            + (rotation[:, axis, 1:2] * left)
            + (rotation[:, axis, 2:] * up)
            for axis in range(3)
        )
        corners = frame.apply([x.ravel(), y.ravel(), z.ravel()]).T.reshape(-1, 4, 3)
    check_range(corners, lines, where)
    return [*map(Box, kinds, corners, height.tolist(), lines)]


def check_range(
    corners: NDArray[np.float64], lines: Sequence[int], where: str, hint: str = ""
) -> None:
    """Raise ValueError if a box is farther away than any sensor sees."""
    is_near = (np.abs(corners) < MAX_RANGE).all(axis=(1, 2))
    if not is_near.all():
        raise ValueError(
            f"{where} {lines[int(is_near.argmin())]}: a box beyond {MAX_RANGE:g} m, "
            f"expected metres{hint}"
        )


def check_sizes(sizes: NDArray[np.float64], lines: Sequence[int], where: str) -> None:
    """Raise ValueError if length, width and height in a row are not those of a box."""
    is_fit = ((sizes > 0) & (sizes < MAX_RANGE)).all(axis=1)
    if is_fit.all():
        return
    number = int(is_fit.argmin())
    length, width, height = sizes[number].tolist()
    expected = "sizes above 0" if min(sizes[number]) <= 0 else "metres"
    raise ValueError(
        f"{where} {lines[number]}: a box of {length:g} x {width:g} x {height:g} m, "
        f"expected {expected}"
    )
