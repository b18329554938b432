"""Find the road in scans, and from it how a sensor is mounted."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""Shape (N, 3), in metres, in any axes."""

_NEAR, _FAR = 1.5, 20.0
"""Metres: where the road is looked for, around the axis that is up."""
_MIN_POINTS, _MIN_SHARE, _MIN_SECTORS = 800, 0.15, 3
"""What a road has at least: points near the sensor, the share of them that are on it,
and directions of twelve in which it is seen."""
_SAMPLE, _GUESSES, _ROUNDS = 3000, 400, 4
_TILT = np.cos(np.radians(40))
_ON, _BELOW = 0.1, 0.3
"""Metres: how far points on the road are from its plane, and those below at least."""
_CLEAR = 1.15
"""How much farther a street is seen along than across."""
_CONE, _SHARE_IN_CONE = np.cos(np.radians(75)), 0.97
_UNSTEADY = 2.0  # degrees
_STEADY = 8, 0.5
"""So many scans with tilts that differ by no more degrees show that of the sensor."""


class Ground(NamedTuple):
    """The road in one scan.

    Attributes
    ----------
    up : ndarray of float64, shape (3,)
        The unit vector that is perpendicular to it.
    height : float
        Of the origin above it, in metres.
    share : float
        Of the points near the sensor that are on it.
    """

    up: NDArray[np.float64]
    height: float
    share: float


class Mounting(NamedTuple):
    """How a sensor is mounted, by the road in several scans.

    Attributes
    ----------
    up : ndarray of float64, shape (3,)
        A unit vector in the axes of the scans.
    height : float
        Of the origin above the road, in metres.
    pitch, roll : float
        In degrees, as settings have them.
    spread : float
        By how many degrees the tilt differs between scans: the median of the angles
        to `up`.
    scans : int
        In so many, the road was found.
    """

    up: NDArray[np.float64]
    height: float
    pitch: float
    roll: float
    spread: float
    scans: int

    @property
    def is_steady(self) -> bool:
        """Whether the tilt is that of the sensor: slopes differ from scan to scan."""
        count, spread = _STEADY
        return self.scans >= count and self.spread <= spread

    @property
    def differs(self) -> bool:
        """Whether the tilt differs from scan to scan more than that of roads does."""
        return self.scans > 1 and self.spread > _UNSTEADY


class Street(NamedTuple):
    """How a street runs in levelled scans.

    Attributes
    ----------
    axis : str
        ``x`` or ``y``; empty if it cannot be told.
    ratio : float
        How much farther points are seen along x than along y.
    looks_at : int or None
        If the sensor sees one side alone: 0, 90, 180 or 270 degrees to the left of x.
    """

    axis: str
    ratio: float
    looks_at: int | None


def find_ground(points: Points) -> Ground | None:
    """Find the plane of the road; None if there is none.

    It is the plane with most points near the sensor and fewest below it, across the
    direction in which points spread least.
    """
    axis = _axis_of_least_spread(points)
    heights = points @ axis
    around = np.sqrt(np.maximum((points**2).sum(axis=1) - heights**2, 0))
    near = points[(around > _NEAR) & (around < _FAR)]
    if len(near) < _MIN_POINTS:
        return None
    guess = _guess_plane(near, axis)
    if guess is None:
        return None
    up, offset = guess
    for _ in range(_ROUNDS):
        on = near[np.abs(near @ up - offset) < _ON]
        if len(on) < _MIN_SHARE * len(near):
            return None
        up, offset = _fit_plane(on, up)
    if _count_sectors(on, up) < _MIN_SECTORS:
        return None
    return Ground(up, -offset, len(on) / len(near))


def _axis_of_least_spread(points: Points) -> NDArray[np.float64]:
    near = points[(np.abs(points) < 2 * _FAR).all(axis=1)]
    near = near - np.median(near, axis=0) if len(near) else np.zeros((1, 3))
    _, vectors = np.linalg.eigh(near.T @ near)
    axis: NDArray[np.float64] = np.zeros(3)
    axis[np.abs(vectors[:, 0]).argmax()] = 1
    return axis


def _guess_plane(
    near: Points, axis: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float] | None:
    """Return the best of many planes through three points: up, and its offset."""
    rng = np.random.default_rng(0)
    some = near[rng.permutation(len(near))[:_SAMPLE]]
    first, second, third = some[rng.integers(0, len(some), (_GUESSES, 3))].swapaxes(
        0, 1
    )
    normals = np.cross(second - first, third - first)
    sizes = np.linalg.norm(normals, axis=1)
    along = normals @ axis
    is_level = np.abs(along) > _TILT * np.maximum(sizes, 0.5)
    if not is_level.any():
        return None
    scales = (np.sign(along) / np.maximum(sizes, 0.5))[is_level]
    normals, first = normals[is_level] * scales[:, None], first[is_level]
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    offsets = (normals * first).sum(axis=1)
    # Half as many bytes are twice as fast, and exact to a micrometre.
    distances = normals.astype(np.float32) @ some.T.astype(np.float32)
    distances -= offsets[:, None].astype(np.float32)
    on = (np.abs(distances) < _ON).sum(axis=1)
    scores = {
        sign: on - (sign * distances < -_BELOW).sum(axis=1) for sign in (1.0, -1.0)
    }
    sign = max(scores, key=lambda key: int(scores[key].max()))
    best = int(scores[sign].argmax())
    return normals[best] * sign, float(offsets[best]) * sign


def _fit_plane(
    on: Points, up: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    middle = on.mean(axis=0)
    _, vectors = np.linalg.eigh((on - middle).T @ (on - middle))
    normal = vectors[:, 0] * np.sign(vectors[:, 0] @ up)
    return normal, float(normal @ middle)


def _count_sectors(on: Points, up: NDArray[np.float64]) -> int:
    x, y, _ = level(on, up).T
    sectors = ((np.arctan2(y, x) / np.pi + 1) * 6).astype(int) % 12
    return int((np.bincount(sectors, minlength=12) > _MIN_POINTS / 300).sum())


def level(points: Points, up: NDArray[np.float64]) -> Points:
    """Turn points so that z is up, by the smallest angle.

    Parameters
    ----------
    points : ndarray of float64, shape (N, 3)
    up : ndarray of float64, shape (3,)
        A unit vector.
    """
    cosine = up[2]
    if cosine < -0.999:  # upside down: turned around x, as a roll is
        return points * [1, -1, -1]
    v = np.array([up[1], -up[0], 0.0])
    cross = np.array([[0, 0, v[1]], [0, 0, -v[0]], [-v[1], v[0], 0]])
    return points @ (np.eye(3) + cross + cross @ cross / (1 + cosine)).T


def measure_mounting(grounds: Sequence[Ground | None]) -> Mounting | None:
    """Return how the sensor is mounted; None if most scans have no road."""
    found = [ground for ground in grounds if ground is not None]
    if not found or len(found) < len(grounds) / 3:
        return None
    up = np.median([ground.up for ground in found], axis=0)
    if np.linalg.norm(up) < 0.5:  # not the same in half of them
        return None
    up /= np.linalg.norm(up)
    angles = [np.degrees(np.arccos(min(1.0, ground.up @ up))) for ground in found]
    height = float(np.median([ground.height for ground in found]))
    pitch = float(np.degrees(np.arcsin(-up[0])))
    roll = float(np.degrees(np.arctan2(up[1], up[2])))
    return Mounting(up, height, pitch, roll, float(np.median(angles)), len(found))


def find_street(scans: Sequence[Points]) -> Street:
    """Find out how a street runs.

    Parameters
    ----------
    scans : sequence of ndarray of float64, shape (N, 3)
        Levelled: z is the height above the road.
    """
    ratios, views = [], []
    for x, y, z in (points.T for points in scans):
        is_road = np.abs(z) < 2 * _ON
        for chosen in (np.ones_like(is_road), is_road):
            if np.count_nonzero(chosen) >= _MIN_POINTS:
                along, across = (
                    np.ptp(np.percentile(values[chosen], [3, 97])) for values in (x, y)
                )
                ratios.append(np.log(max(along, 0.1) / max(across, 0.1)))
        distances = np.hypot(x, y)
        far = distances > _NEAR
        views.append(
            [
                np.mean(side[far] > _CONE * distances[far]) if far.any() else 0.0
                for side in (x, y, -x, -y)
            ]
        )
    ratio = float(np.exp(np.mean(ratios))) if ratios else 1.0
    axis = "x" if ratio > _CLEAR else "y" if ratio < 1 / _CLEAR else ""
    seen = np.median(views, axis=0) if views else np.zeros(4)
    best = int(seen.argmax())
    return Street(axis, ratio, 90 * best if seen[best] > _SHARE_IN_CONE else None)
