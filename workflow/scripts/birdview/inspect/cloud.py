"""Read the points of files as far as they tell what the files are."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.fit import sample, share_repeated
from birdview.inspect.ground import Points
from birdview.pixels.layout import Layout

_BLOCKS, _BLOCK = 49, 1024
"""A sample that shows the whole scene, also of a file of any size. The number of blocks
is odd, so that a file with all points once more at its end shows some of them twice."""
_CLOSE, _VOXEL = 4.0, 0.2
"""Metres: how far the vehicle reaches at most, and the cells it is found in."""
_ALWAYS, _MIN_SHARE, _MIN_SCANS = 0.8, 0.002, 3
"""A cell of the vehicle has points in this share of the scans; the vehicle has this
share of all points, and is told from other things if there are so many scans."""
_NEAREST, _GUESS_SHARE = 1.0, 0.02
"""Metres, and a share of points: only vehicles have so many so near."""
_ABOVE, _BESIDE = 0.3, 1.0  # metres above the road, and from the sensor


class Cloud(NamedTuple):
    """Some points of a scan, in the axes of its layout, without a frame.

    Attributes
    ----------
    position : ndarray of float64, shape (N, 3)
        In metres; returns alone.
    intensity : ndarray of float64, shape (N,), or None
        After the layout's scale, before it is clipped.
    nonfinite, no_return, repeated : float
        Shares of points: not finite, at (0, 0, 0), and at the place of another one.
    """

    position: Points
    intensity: NDArray[np.float64] | None
    nonfinite: float
    no_return: float
    repeated: float


class Vehicle(NamedTuple):
    """Points of the vehicle that carries the sensor.

    Attributes
    ----------
    low, high : tuple of three float
        The box around them, in metres.
    share : float
        Of all points.
    is_sure : bool
        Whether there were enough scans to see that it never changes.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    share: float
    is_sure: bool


def read_cloud(data: NDArray[np.uint8], layout: Layout) -> Cloud:
    """Read a sample of a file's points."""
    with np.errstate(all="ignore"):  # any bytes may be numbers out of range
        values = [
            field.convert(column)
            for field, column in zip(
                layout.fields, sample(data, layout, _BLOCKS, _BLOCK), strict=True
            )
        ]
        *places, last = layout.columns
        position = np.stack([values[n] for n in places if n is not None])
        is_finite = np.isfinite(position).all(axis=0)
        at_origin = ~position.any(axis=0)
        chosen = is_finite & ~at_origin
        intensity = None if last is None else values[last][chosen]
        position = position[:, chosen]
        return Cloud(
            np.ascontiguousarray(position.T),
            intensity,
            float(1 - is_finite.mean()) if is_finite.size else 0.0,
            float(at_origin.mean()) if at_origin.size else 0.0,
            share_repeated(position),
        )


def find_vehicle(
    clouds: Sequence[Cloud], up: NDArray[np.float64] | None, height: float
) -> Vehicle | None:
    """Find points near the sensor that are at the same places in all scans.

    In few scans, points that are nearer than others ever are.

    Parameters
    ----------
    clouds : sequence of Cloud
    up : ndarray of float64, shape (3,), or None
        Up, if the road is known: points on it are the same in all scans, too.
    height : float
        Of the origin above the road.

    Returns
    -------
    Vehicle or None
    """
    near = []
    for cloud in clouds:
        chosen = np.linalg.norm(cloud.position, axis=1) < _CLOSE
        if up is not None:
            chosen &= cloud.position @ up + height > _ABOVE
        near.append(cloud.position[chosen])
    if len(clouds) < _MIN_SCANS:
        return _guess_vehicle(np.concatenate(near), clouds)
    seen = [np.unique((some // _VOXEL).astype(np.int64), axis=0) for some in near]
    cells, scans = np.unique(np.concatenate(seen), axis=0, return_counts=True)
    cells = _largest_block(cells[scans >= _ALWAYS * len(clouds)])
    if not len(cells):
        return None
    low, high = cells.min(axis=0) * _VOXEL, (cells.max(axis=0) + 1) * _VOXEL
    if (low > _BESIDE).any() or (high < -_BESIDE).any():
        return None  # beside the sensor: a car that is parked there
    inside = sum(
        np.count_nonzero(((some >= low) & (some <= high)).all(axis=1)) for some in near
    )
    share = inside / max(1, sum(len(cloud.position) for cloud in clouds))
    if share < _MIN_SHARE:
        return None
    return _vehicle(low, high, share, True)


def _guess_vehicle(near: Points, clouds: Sequence[Cloud]) -> Vehicle | None:
    distances = np.linalg.norm(near, axis=1)
    total = max(1, sum(len(cloud.position) for cloud in clouds))
    if np.count_nonzero(distances < _NEAREST) < _GUESS_SHARE * total:
        return None
    own = near[distances < 2 * _NEAREST]
    low, high = np.percentile(own, [1, 99], axis=0)
    low, high = np.floor(low / _VOXEL) * _VOXEL, np.ceil(high / _VOXEL) * _VOXEL
    return _vehicle(low, high, len(own) / total, False)


def _vehicle(
    low: NDArray[np.float64], high: NDArray[np.float64], share: float, is_sure: bool
) -> Vehicle:
    # Plus 0.0, because -0.0 is a riddle to users.
    lows, highs = (tuple((end.round(1) + 0.0).tolist()) for end in (low, high))
    return Vehicle(lows, highs, float(share), is_sure)


def _largest_block(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the most cells that touch each other, or that have one between them."""
    waiting = {tuple(cell) for cell in cells.tolist()}
    largest: list[tuple[int, ...]] = []
    steps = list(product(range(-2, 3), repeat=3))
    while waiting:
        block = [waiting.pop()]
        for x, y, z in block:
            near = {(x + i, y + j, z + k) for i, j, k in steps} & waiting
            waiting -= near
            block.extend(near)
        largest = max(largest, block, key=len)
    return np.array(largest, dtype=np.int64).reshape(-1, 3)
