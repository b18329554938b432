"""Simulate the demo's scans: a sensor with 64 beams drives along a street.

The street follows the x axis and never ends: see `birdview.street`. Lengths are in
metres, angles in radians. The points have labels: SemanticKITTI's numbers of classes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.street.casting import REACH, add_things, make_rays
from birdview.street.facades import INSIDE, MIRRORED, RECESS, find_openings
from birdview.street.ground import view_ground
from birdview.street.lots import LANE, look_around
from birdview.street.materials import GLASS, GROUND

MOUNT = 1.73  # the sensor's height above the road, as in KITTI
START = 38.0  # x of the first scan: a crossing lies ahead
STEP = 1.0  # from scan to scan: 36 km/h at 10 scans a second
NOISE = 0.012  # of a distance
LOST = 0.01  # the share of rays without a return
FAINTEST = 0.005  # the echo below which a return is uncertain


class Hits(NamedTuple):
    """The rays that hit something, beam by beam from the highest.

    Attributes
    ----------
    ray : ndarray of int, shape (N,)
        The number of each.
    direction : tuple of ndarray of float32
        x, y and z of each.
    metres : ndarray of float32, shape (N,)
        The distance.
    cosine : ndarray of float32, shape (N,)
        Of the angle between the ray and the surface's normal.
    what : ndarray of int16, shape (N,)
        The number of the surface's material.
    """

    ray: np.ndarray
    direction: tuple[np.ndarray, ...]
    metres: np.ndarray
    cosine: np.ndarray
    what: np.ndarray


class Surfaces(NamedTuple):
    """What hits are of, in arrays of shape (N,).

    Attributes
    ----------
    label : ndarray of uint32
    reflectance : ndarray of float32
    depth : ndarray of float32
        Metres behind the surface from which a return may come.
    recess : ndarray of float32
        Metres behind the surface from which it comes at least.
    lost : ndarray of float32
        The share of the rays without a return.
    """

    label: np.ndarray
    reflectance: np.ndarray
    depth: np.ndarray
    recess: np.ndarray
    lost: np.ndarray


def pose(number: int) -> tuple[float, ...]:
    """Return where the sensor is in one scan of the drive.

    Returns
    -------
    tuple of float
        Three rows of four numbers, which bring points from the axes of the scan to
        those of the street: a rotation, and a translation in metres. The sensor drives
        straight ahead.
    """
    x, y, z = _place(number)
    return 1.0, 0.0, 0.0, x, 0.0, 1.0, 0.0, y, 0.0, 0.0, 1.0, z


def simulate_scan(number: int, seed: int) -> NDArray[np.float32]:
    """Simulate the points of one scan, as `simulate`."""
    points, _ = simulate(number, seed)
    return points


def simulate(number: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Simulate one scan of the drive, and the labels of its points.

    Parameters
    ----------
    number : int
        The scan's number in the drive, from 0.
    seed : int
        Decides the street, the traffic and the sensor's noise.

    Returns
    -------
    points : ndarray of float32, shape (N, 4)
        x forward, y left and z up from the sensor in metres, rounded to millimetres,
        and reflectance, 0 to 0.99; beam by beam from the highest. N is about 120,000.
    labels : ndarray of uint32, shape (N,)
        In the low 16 bits the class of each point; in the high ones which car, bicycle
        or person it is of, the same in all scans of the drive, and 0 for all else.
    """
    here, rays = _place(number), make_rays()
    rng = np.random.default_rng([seed, 0, number])
    chance, within = (rng.random(rays.x.shape).astype(np.float32) for _ in range(2))
    street = look_around(here[0], seed)
    view = view_ground(here, rays, street.yards, street.first)
    solids = add_things(view, street.things, len(GROUND), here, rays, chance)
    hits = _find_hits(view, rays)
    found = _find_surfaces(hits, here, solids)
    chance, within = chance.ravel()[hits.ray], within.ravel()[hits.ray]
    return _return_echoes(hits, found, chance, within, rng)


def write_scan(path: PathLike, number: int, seed: int) -> None:
    """Simulate one scan and write it in the layout `kitti`."""
    simulate_scan(number, seed).astype("<f4").tofile(path)


def write_labelled_scan(
    path: PathLike, labels: PathLike, number: int, seed: int
) -> None:
    """Simulate one scan and write it as `write_scan`, and its labels as SemanticKITTI.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    points, found = simulate(number, seed)
    points.astype("<f4").tofile(path)
    found.astype("<u4").tofile(labels)


def _place(number):
    """Return x, y and z of the sensor in the street."""
    return START + number * STEP, LANE, MOUNT


def _find_hits(view, rays):
    """Return the rays that hit something within range."""
    ray = np.flatnonzero(view.nearness > 1 / REACH)
    nearness, cosine, what = (array.ravel()[ray] for array in view)
    beams = ray // rays.x.shape[1]
    direction = rays.x.ravel()[ray], rays.y.ravel()[ray], rays.z.ravel()[beams]
    return Hits(ray, direction, 1 / nearness, cosine, what)


def _find_surfaces(hits, here, solids):
    """Return what is hit: materials, and the windows and doors of houses."""
    materials = [*GROUND, *(solid.material for solid in solids)]
    what = hits.what.astype(np.intp)
    label, reflectance, depth = (
        np.array([getattr(material, name) for material in materials], kind).take(what)
        for name, kind in (
            ("label", np.uint32),
            ("reflectance", np.float32),
            ("depth", np.float32),
        )
    )
    recess, lost = np.zeros_like(depth), np.full_like(depth, LOST)
    windows, doors = _find_openings(hits, what, here, solids)
    reflectance[windows], depth[windows], lost[windows] = GLASS, INSIDE, MIRRORED
    recess[doors] = RECESS
    return Surfaces(label, reflectance, depth, recess, lost)


def _find_openings(hits, what, here, solids):
    """Return which hits are of windows and of doors."""
    houses = [n for n, solid in enumerate(solids) if solid.facade]
    numbers = np.full(len(GROUND) + len(solids), -1)
    numbers[[len(GROUND) + n for n in houses]] = range(len(houses))
    house = numbers.take(what)
    walls = np.flatnonzero(house >= 0)
    position = [
        hits.metres[walls] * ray[walls] + np.float32(at)
        for at, ray in zip(here, hits.direction, strict=True)
    ]
    facades = [solids[n].facade for n in houses]
    windows, doors = find_openings(facades, house[walls], position)
    return walls[windows], walls[doors]


def _return_echoes(hits, found, chance, within, rng):
    """Return the points of the hits that send back enough, and their labels."""
    fades = (25 / np.maximum(hits.metres, np.float32(25))) ** 2
    echo = found.reflectance * hits.cosine * fades
    seen = np.flatnonzero((chance > found.lost) & (echo > FAINTEST * within))
    count = len(seen)
    metres = (hits.metres + found.recess + found.depth * within)[seen]
    metres = metres + NOISE * _normal(rng, count)
    bright = found.reflectance * (np.float32(0.6) + np.float32(0.4) * hits.cosine)
    bright = bright[seen] * (1 + 0.08 * _normal(rng, count))
    points = np.empty((count, 4), dtype=np.float32)
    for column, ray in enumerate(hits.direction):
        points[:, column] = np.round(metres * ray[seen], 3)
    points[:, 3] = np.round(np.clip(bright, 0, 0.99), 2)
    return points, found.label[seen]


def _normal(rng, count):
    # NumPy may change the stream of normal(), but not that of random().
    return 2 * (sum(rng.random(count) for _ in range(3)) - 1.5)
