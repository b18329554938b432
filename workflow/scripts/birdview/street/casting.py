"""Cast the rays of the sensor: find what each hits first.

All of it is additions, products, quotients and roots of float32, which are the same on
every machine; directions are found in float64, and rounded.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from math import asin, atan2, floor, hypot, pi
from typing import NamedTuple

import numpy as np

from birdview.street.solids import Solid, Thing

REACH = 100.0  # the sensor's range
NEAR = 26.0  # metres from which on objects have fewer parts
STEPS = 2000  # of a turn
STEP = 2 * pi / STEPS


class Rays(NamedTuple):
    """The rays of one turn, from the highest beam to the lowest.

    Attributes
    ----------
    x, y, z : ndarray of float32
        Their directions, of length 1: x and y of shape (beams, steps), z of shape
        (beams, 1).
    falls : list of float
        How far each beam goes down over a metre, ascending.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    falls: list[float]


class View(NamedTuple):
    """What each ray hits first, in arrays of shape (beams, steps).

    Attributes
    ----------
    nearness : ndarray of float32
        The reciprocal of the distance in metres; 0 for nothing.
    cosine : ndarray of float32
        Of the angle between the ray and the surface's normal.
    what : ndarray of int16
        The number of the surface's material.
    """

    nearness: np.ndarray
    cosine: np.ndarray
    what: np.ndarray


@cache
def make_rays() -> Rays:
    """Return the rays of a Velodyne HDL-64E.

    32 beams are a third of a degree apart above 32 half a degree apart. As in each real
    one, none of them is exactly at its place, and none fires at quite the same moment.
    """
    rng = np.random.default_rng(64)
    beams = np.concatenate([2 - np.arange(32) / 3, -8.83 - np.arange(32) / 2])
    beams = np.radians(beams + 0.08 * (rng.random(64) - 0.5))[:, None]
    turn = (np.arange(STEPS) + rng.random((64, 1))) * STEP
    arrays = np.cos(beams) * np.cos(turn), np.cos(beams) * np.sin(turn), np.sin(beams)
    x, y, z = (array.astype(np.float32) for array in arrays)
    for array in (x, y, z):
        array.flags.writeable = False
    return Rays(x, y, z, (-np.tan(beams)).ravel().tolist())


def add_things(
    view: View,
    things: Iterable[Thing],
    first: int,
    here: tuple[float, float, float],
    rays: Rays,
    chance: np.ndarray,
) -> list[Solid]:
    """Add objects to a view: each hides what is behind it.

    Parameters
    ----------
    view : View
        Is changed.
    things : iterable of Thing
    first : int
        The number of the first solid's material; the others' follow.
    here : tuple of float
        Where the sensor is.
    rays : Rays
    chance : ndarray of float32
        From 0 to 1, of each ray: decides whether it goes through porous solids.

    Returns
    -------
    list of Solid
        The parts of those that may be seen.
    """
    solids: list[Solid] = []
    by_distance = sorted(
        (hypot(thing.x - here[0], thing.y - here[1]), number, thing)
        for number, thing in enumerate(things)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        for away, _, thing in by_distance:
            if not any(_visible_sectors(thing, away, here, rays, view)):
                continue
            for solid in thing.build(away < NEAR):
                away = hypot(solid.x - here[0], solid.y - here[1])
                for sector in _visible_sectors(solid, away, here, rays, view):
                    what = first + len(solids)
                    _add_solid(view, solid, what, here, rays, chance, sector)
                solids.append(solid)
    return solids


def _visible_sectors(solid, away, here, rays, view):
    """Yield the sectors of a view in which a solid is not hidden as a whole."""
    near, far = max(away - solid.radius, 0.1), away + solid.radius
    if near > REACH:
        return
    base = solid.z - here[2]
    top = base + solid.height
    highest, lowest = (
        -top / (near if top > 0 else far),
        -base / (far if base > 0 else near),
    )
    beams = slice(bisect_left(rays.falls, highest), bisect_right(rays.falls, lowest))
    if beams.start >= beams.stop:
        return
    for steps in _steps(solid, solid.x - here[0], solid.y - here[1], away):
        if view.nearness[beams, steps].min() < 1 / near:
            yield beams, steps


def _steps(solid, x, y, away):
    """Yield the steps of the turn, in one piece or in two, that may hit a solid."""
    left, right = _angles(solid, x, y, away)
    if left - right >= pi:
        yield slice(0, STEPS)
        return
    bearing = atan2(y, x)
    first = floor((bearing + right) / STEP) - 1
    last = floor((bearing + left) / STEP) + 2
    first, last = first % STEPS, first % STEPS + last - first
    yield slice(first, min(last, STEPS))
    if last > STEPS:
        yield slice(0, last - STEPS)


def _angles(solid, x, y, away):
    """Return how far a solid reaches to the left and the right of its middle."""
    if not solid.corners:
        half = asin(solid.radius / away) if away > solid.radius else pi
        return half, -half
    corners = [(x + ahead, y + aside) for ahead, aside in solid.corners]
    angles = [atan2(x * b - y * a, x * a + y * b) for a, b in corners]
    return max(angles), min(angles)


def _add_solid(view, solid, what, here, rays, chance, sector):
    """Add a solid to a sector of a view."""
    to = solid.x - here[0], solid.y - here[1], solid.z - here[2]
    x, y, z = rays.x[sector], rays.y[sector], rays.z[sector[0]]
    seen, slopes, surfaces = (array[sector] for array in view)
    hit_solid = _hit_faces if solid.faces else _hit_round
    nearness, cosine, hit = hit_solid(solid, to, x, y, z, seen)
    porosity = solid.material.porosity
    if porosity:  # other rays go through the next solid
        other = chance[sector] + what * 0.6180339887
        hit &= other - np.floor(other) > porosity
    np.copyto(seen, nearness, where=hit)
    np.copyto(slopes, cosine, where=hit)
    np.copyto(surfaces, what, where=hit)


def _hit_faces(solid, to, x, y, z, seen):
    """Return the nearness of a solid with plane faces, the cosine, and what hits it.

    A ray enters it by the last of the faces that look at the sensor, and leaves it by
    the first of the others. It misses if it leaves before it enters, or if something is
    `seen` before.
    """
    enters = cosine = None
    for number, (a, b, c, out) in enumerate(solid.faces + solid.edges):
        away = out + a * to[0] + b * to[1] + c * to[2] or 1e-9
        if away > 0 and number >= len(solid.faces):
            continue
        if not c:
            towards = (a / away) * x + (b / away) * y
        elif a or b:
            towards = (a / away) * x + (b / away) * y + (c / away) * z
        else:
            towards = (c / away) * z
        if away > 0:
            seen = np.maximum(seen, towards)
        elif enters is None:
            enters, cosine = towards, np.float32(-away)
        else:
            cosine = np.where(towards < enters, np.float32(-away), cosine)
            enters = np.minimum(enters, towards)
    return enters, cosine * enters, enters > seen


def _hit_round(solid, to, x, y, z, seen):
    """As `_hit_faces`, for an upright cylinder or an ellipsoid."""
    radius = solid.radius
    flat = x * x + y * y
    along, across = to[0] * x + to[1] * y, to[0] * y - to[1] * x
    if not solid.is_ball:
        root = np.sqrt(radius * radius * flat - across * across)
        nearness = flat / (along - root)
        rise = z - to[2] * nearness
        hit = (nearness > seen) & (rise > 0) & (rise < solid.height * nearness)
        return nearness, root / (radius * np.sqrt(flat)), hit
    stretch = 2 * radius / solid.height
    z, up = stretch * z, stretch * (to[2] + solid.height / 2)
    square = flat + z * z
    first, second = to[0] * z - up * x, to[1] * z - up * y
    aside = across * across + first * first + second * second
    root = np.sqrt(radius * radius * square - aside)
    nearness = square / (along + up * z - root)
    return nearness, root / (radius * np.sqrt(square)), nearness > seen
