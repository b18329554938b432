"""Turn predicted boxes into results in KITTI's format, for its evaluation."""

from collections.abc import Collection, Mapping, Sequence
from math import atan2, pi, remainder
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.calibration import Calibration
from birdview.pixels.frame import Frame

REASONS = {
    "unknown": "of a class without labelled boxes, so of unknown height",
    "flat": "without length or width",
    "behind": "not wholly in front of the camera",
    "hidden": "outside the image of the camera",
}
"""Why predictions are left out; the first that applies counts."""
DEFAULT_SIZE = 1242, 375
"""Width and height of an image of the camera that is not there: most of KITTI's."""
_MARGIN = 1.0
"""By how many metres the surroundings of a box reach beyond its sides."""
_LEAST_POINTS = 10
"""The fewest points there that tell where the ground is."""
_LOW = 20
"""Of how many points there, sorted by height, one is below the ground."""
_LEAST_SIDE = 1e-4
"""The shortest side in metres that is above 0 in a file with four digits."""
_UPRIGHT = 0.7
"""The least cosine of the angle between up in an image and up for its camera."""


class Extent(NamedTuple):
    """From where to where boxes of a class reach, usually.

    Attributes
    ----------
    z : float
        The bottom, in metres in the image's frame.
    height : float
        In metres.
    """

    z: float
    height: float


class Camera(NamedTuple):
    """What evaluates the boxes of a scan.

    Attributes
    ----------
    matrix : ndarray of float64, shape (3, 4)
        From the frame of the bird's-eye view to the axes of the rectified camera.
    projection : ndarray of float64, shape (3, 4)
        From there to its image.
    size : (int, int)
        Width and height of its image.
    """

    matrix: NDArray[np.float64]
    projection: NDArray[np.float64]
    size: tuple[int, int]


def name_kind(name: str, kinds: str | Sequence[str]) -> str:
    """Return what KITTI calls a class that is made of some kinds of boxes."""
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return name if name in kinds else kinds[0]


def learn_extents(
    splits: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]],
    predicted: Collection[str],
) -> dict[str, Extent]:
    """Return the median extent of each class that has labelled boxes.

    Of the splits without predictions, so that the evaluated ones tell nothing. Only
    classes that have no box there get theirs from all.

    Parameters
    ----------
    splits : mapping
        That of the data set's index.
    predicted : collection of str
        Names of splits.
    """
    extents: dict[str, Extent] = {}
    for chosen in (splits.keys(), splits.keys() - set(predicted)):
        boxes: dict[str, list[Mapping[str, Any]]] = {}
        for split in chosen:
            for targets in splits[split].values():
                for target in targets:
                    boxes.setdefault(target["class"], []).append(target)
        extents |= {
            name: Extent(*(median(box[key] for box in own) for key in ("z", "height")))
            for name, own in boxes.items()
        }
    return extents


def make_camera(
    calibration: Calibration, frame: Frame, size: tuple[int, int]
) -> Camera:
    """Return what evaluates the boxes of a scan.

    Parameters
    ----------
    calibration : Calibration
    frame : Frame
        That of the scan's layout.
    size : (int, int)
        Width and height of the camera's image.

    Raises
    ------
    ValueError
        If the calibration has no projection, or the camera is not upright.
    """
    if calibration.projection is None:
        raise ValueError(
            f"{calibration.path}: no projection, expected P2, as in KITTI's calib "
            f"folder: results have boxes in the image of the camera"
        )
    to_image = np.array([*frame.matrix, [0, 0, 0, 1]], dtype=np.float64)
    matrix = (calibration.to_camera @ np.linalg.inv(to_image))[:3].astype(np.float64)
    if -matrix[1, 2] < _UPRIGHT:
        raise ValueError(
            f"{calibration.path}: the camera's y does not point down, expected it to, "
            f"because boxes stand upright in its axes; is `frame` right?"
        )
    return Camera(matrix, calibration.projection, size)


def find_ground(
    points: NDArray[np.float32],
    bounds: NDArray[np.float32],
    footprint: NDArray[np.float64],
) -> float | None:
    """Return the height of the ground at a box; None if too few points tell.

    Parameters
    ----------
    points : ndarray of float32, shape (N, 3)
        x, y, z in metres. It is fastest with columns one after the other.
    bounds : ndarray of float32, shape (2, 3)
        The least and the greatest x, y and z of points that count.
    footprint : ndarray of float64, shape (4, 2)
        The corners in their order around the box, which is not flat.
    """
    centre = footprint.mean(axis=0)
    reach = np.abs(footprint - centre).max(axis=0) + 2 * _MARGIN
    low, high = (centre - reach).astype(np.float32), (centre + reach).astype(np.float32)
    x, y = points[:, 0], points[:, 1]
    is_near = (low[0] <= x) & (x <= high[0]) & (low[1] <= y) & (y <= high[1])
    near = points[np.flatnonzero(is_near)]
    is_drawn = ((bounds[0] <= near) & (near <= bounds[1])).all(axis=1)
    near = near[is_drawn].astype(np.float64)
    for one, other in ((0, 1), (1, 2)):
        side = footprint[one] - footprint[other]
        length = float(np.hypot(*side))
        away = np.abs((near[:, :2] - centre) @ (side / length))
        near = near[away <= length / 2 + _MARGIN]
    if len(near) < _LEAST_POINTS:
        return None
    index = len(near) // _LOW
    return float(np.partition(near[:, 2], index)[index])


def order_corners(footprint: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return corners in an order in which the first two are the front.

    Trainers keep no order of corners. So the longer sides are those along the box, and
    its front is the end that is farther ahead: its heading is above -90 degrees and at
    most 90.

    Parameters
    ----------
    footprint : ndarray of float64, shape (4, 2)
        x and y of the corners, in their order around the box.
    """
    ahead, across = _sides(footprint)
    if np.hypot(*ahead) < np.hypot(*across):
        footprint = np.roll(footprint, 1, axis=0)
        ahead = across
    if ahead[0] < 0 or (ahead[0] == 0 and ahead[1] < 0):
        footprint = np.roll(footprint, 2, axis=0)
    return footprint


def _sides(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vectors ahead and to the left of corners of any four-sided shape."""
    one, two, three, four = corners
    return np.stack([one + two - three - four, one + four - two - three]) / 2


def is_flat(footprint: NDArray[np.float64]) -> bool:
    """Whether a box has no length or no width."""
    return any(np.hypot(*side) < _LEAST_SIDE for side in _sides(footprint))


def is_ours(footprint: NDArray[np.float64]) -> bool:
    """Whether corners go round as those of `Box.corners`: clockwise from above."""
    (x, y), (left_x, left_y) = _sides(footprint)
    return bool(x * left_y - y * left_x >= 0)


def format_result(
    kind: str,
    footprint: NDArray[np.float64],
    extent: Extent,
    camera: Camera,
    score: float,
) -> tuple[str, str]:
    """Return a box as a line of KITTI's format.

    The box stands upright in the axes of the camera, as KITTI's do: its corners are
    lifted from the map to a level there, and measured in it.

    Parameters
    ----------
    kind : str
    footprint : ndarray of float64, shape (4, 2)
        x and y of the corners in metres in the frame of the bird's-eye view; the first
        two are the front. It is not flat.
    extent : Extent
        Of this box; its z is that of the middle of the bottom.
    camera : Camera
    score : float

    Returns
    -------
    line : str
        Type, truncated, occluded, alpha; left, top, right, bottom; height, width,
        length; x, y, z; rotation, score. Empty if it is left out.
    reason : str
        Why it is left out, "behind" or "hidden"; or empty.
    """
    turn, shift = camera.matrix[:, :3], camera.matrix[:, 3]
    rise = (footprint - footprint.mean(axis=0)) @ turn[1, :2] / -turn[1, 2]
    bottom = np.column_stack([footprint, extent.z + rise]) @ turn.T + shift
    ahead, left = _sides(bottom[:, [0, 2]])
    length, width = np.hypot(*ahead), np.hypot(*left)
    top = bottom - [0, extent.height, 0]
    corners = np.column_stack([np.concatenate([bottom, top]), np.ones(8)])
    *across, depth = camera.projection @ corners.T
    if (depth <= 0).any():
        return "", "behind"
    ends = [np.array(camera.size) - 1] * 8
    seen = np.clip((across / depth).T, 0, ends)
    (low_u, low_v), (high_u, high_v) = seen.min(axis=0), seen.max(axis=0)
    if low_u >= high_u or low_v >= high_v:
        return "", "hidden"
    x, y, z = bottom.mean(axis=0)
    rotation = -atan2(ahead[1], ahead[0])
    numbers = [extent.height, width, length, x, y, z, rotation]
    return (
        f"{kind} -1 -1 {_wrap(rotation - atan2(x, z)):.4f} "
        f"{low_u:.2f} {low_v:.2f} {high_u:.2f} {high_v:.2f} "
        f"{' '.join(f'{number:.4f}' for number in numbers)} {score:.6g}\n"
    ), ""


def _wrap(angle: float) -> float:
    """Return an angle above -pi and up to pi."""
    wrapped = remainder(angle, 2 * pi)
    return pi if wrapped <= -pi else wrapped
