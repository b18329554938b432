"""Simulate the demo's scans: a sensor with 64 beams drives along a street.

The street follows the x axis and never ends: it is made of lots, and the seed and the
lot's number decide what stands on it. Lengths are in metres, angles in radians. The
points have labels: SemanticKITTI's numbers of classes.
"""

from math import asin, atan2, cos, floor, hypot, pi, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike

MOUNT = 1.73  # the sensor's height above the road, as in KITTI
START = 38.0  # x of the first scan: a crossing lies ahead
STEP = 1.0  # from scan to scan: 36 km/h at 10 scans a second
REACH = 100.0  # the sensor's range
LOT = 10.0  # length along the street
BLOCK = 12  # lots from crossing to crossing, which is a lot itself
LANE, KERB, FACADE = -1.8, 6.0, 10.0  # y of our lane; |y| of kerbs and house fronts
PAVEMENT = 0.13  # its height above the road

# The Velodyne HDL-64E: 32 beams a third of a degree apart above 32 half a degree apart.
BEAMS = np.radians(np.concatenate([2 - np.arange(32) / 3, -8.83 - np.arange(32) / 2]))
TURN = np.radians(np.arange(0, 360, 0.18))

CAR, PERSON, ROAD, SIDEWALK, BUILDING, MARKING = 10, 30, 40, 48, 50, 60
VEGETATION, TRUNK, POLE, MOVING_CAR = 70, 71, 80, 252


class Solid(NamedTuple):
    """An object in the street: a box, an upright cylinder or a ball.

    `z` is the height of its base. `size` is a box's length, width and height, a
    cylinder's radius and height, or a ball's radius. `label` is that of its points.
    """

    shape: str
    x: float
    y: float
    z: float
    size: tuple[float, ...]
    reflectance: float
    label: int
    yaw: float = 0.0  # of a box
    porosity: float = 0.0  # the share of rays that give no return
    depth: float = 0.0  # how far behind its surface a return may come from


class View(NamedTuple):
    """What each ray hits first, in arrays of shape (beams, steps of the turn)."""

    distance: np.ndarray
    cosine: np.ndarray  # of the angle between the ray and the surface's normal
    what: np.ndarray  # the number of the object from 1; 0 is the ground


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
        and reflectance, 0 to 0.99; beam by beam from the highest. N is about 100,000.
    labels : ndarray of uint32, shape (N,)
        In the low 16 bits the class of each point; in the high ones which car or person
        it belongs to, the same in all scans of the drive, and 0 for all else.
    """
    here = _place(number)
    rays = (
        np.outer(np.cos(BEAMS), np.cos(TURN)),
        np.outer(np.cos(BEAMS), np.sin(TURN)),
        np.outer(np.sin(BEAMS), np.ones_like(TURN)),
    )
    view, paint, marking = _view_of_ground(here, rays)
    solids = [*_street(here[0], seed), *_traffic(here[0], seed)]
    for what, solid in enumerate(solids, start=1):
        _add_to_view(solid, what, here, rays, view)

    def of_what(values, of_ground):
        return np.where(view.what > 0, np.array([0, *values])[view.what], of_ground)

    reflectance = of_what([solid.reflectance for solid in solids], paint)
    porosity = of_what([solid.porosity for solid in solids], 0.0)
    depth = of_what([solid.depth for solid in solids], 0.0)
    label = of_what([solid.label for solid in solids], marking)

    rng = np.random.default_rng([seed, 0, number])
    shape: tuple[int, ...] = rays[0].shape
    chance, within = rng.random(shape), rng.random(shape)
    echo = reflectance * view.cosine * (25 / np.maximum(view.distance, 25)) ** 2
    seen = (view.distance < REACH) & (chance > 0.01 + porosity)
    seen &= echo > 0.012 * within
    metres = view.distance + depth * within + 0.012 * _normal(rng, shape)
    bright = reflectance * (0.6 + 0.4 * view.cosine)
    bright = bright * (1 + 0.08 * _normal(rng, shape))
    points = [np.round(metres[seen] * ray[seen], 3) for ray in rays]
    points.append(np.round(np.clip(bright[seen], 0, 0.99), 2))
    return np.stack(points, axis=1).astype(np.float32), label[seen].astype(np.uint32)


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


def _normal(rng, shape):
    # NumPy may change the stream of normal(), but not that of random().
    return sum(rng.random(shape) for _ in range(12)) - 6


def _street(x, seed):
    """Yield the objects along the street within range of x."""
    for lot in range(floor((x - REACH) / LOT), floor((x + REACH) / LOT) + 1):
        if lot % BLOCK != BLOCK // 2:
            for side in (-1, 1):
                rng = np.random.default_rng([seed, 1, lot % 2**32, side + 1])
                yield from _lot(lot, side, rng.uniform)


def _lot(lot, side, between):
    """Yield the objects on a lot, on the right (-1) or the left (1)."""
    x, number = (lot + 0.5) * LOT, 2 * lot + (side > 0)
    depth = 25.0
    size = LOT, depth, PAVEMENT
    yield _box(x, side * (KERB + depth / 2), 0, size, 0.33, SIDEWALK)
    if between(0, 1) < 0.75:
        paint, front = between(0.2, 0.55), side * (FACADE + between(0, 1.2))
        size = LOT, 16, between(4, 11)
        yield _box(x, front + side * 8, PAVEMENT, size, paint, BUILDING, porosity=0.06)
        size = between(1.2, 3), between(0.6, 1.2), between(2.2, 4)
        yield _box(x + between(-3, 3), front, PAVEMENT, size, paint + 0.15, BUILDING)
    else:  # a garden behind a hedge
        hedge = {"label": VEGETATION, "porosity": 0.2, "depth": 0.3}
        yield _box(x, side * FACADE, PAVEMENT, (LOT - 1.5, 0.5, 1.3), 0.45, **hedge)
        yield from _tree(x + between(-3, 3), side * (FACADE + 5), between)
    if lot % 2 == 0:  # a lamp
        foot = x - 4.6, side * (KERB + 0.6), PAVEMENT
        yield Solid("cylinder", *foot, (0.09, 7), 0.6, POLE)
    elif between(0, 1) < 0.7:
        yield from _tree(x - 4.6, side * (KERB + 1.2), between)
    if between(0, 1) < 0.3:  # a pedestrian
        foot = x + between(-4, 4), side * (KERB + between(0.8, 2.8)), PAVEMENT
        label = _label_one(PERSON, number, 0)
        yield Solid("cylinder", *foot, (0.24, between(1.5, 1.9)), 0.35, label)
    if between(0, 1) < 0.7:
        yaw = between(-0.05, 0.05) + (pi if side > 0 else 0)
        place = x + between(-1.5, 1.5), side * (KERB - 1.1), yaw
        yield from _car(*place, _label_one(CAR, number, 1), between)


def _traffic(x, seed):
    """Yield the moving cars: oncoming ones, and two that drive with the sensor."""
    apart, way = 35.0, 1.1 * x + 12  # what oncoming cars have driven
    for car in range(
        floor((x + way - REACH) / apart), floor((x + way + REACH) / apart)
    ):
        between = np.random.default_rng([seed, 2, car % 2**32]).uniform
        ahead = (car + between(0, 0.7)) * apart - way
        label = _label_one(MOVING_CAR, car, 2)
        yield from _car(ahead, between(1.6, 2.1), pi, label, between)
    between = np.random.default_rng([seed, 3]).uniform
    first, second = (_label_one(MOVING_CAR, car, 3) for car in (0, 1))
    yield from _car(x + 18 + 5 * sin(x / 30), LANE + 0.2, 0, first, between)
    yield from _car(x - 21 + 4 * sin(x / 40), LANE - 0.1, 0, second, between)


def _label_one(label, number, group):
    """Label a car or a person: its number is unique in one of four groups."""
    instance = 1 + (4 * number + group) % 65532  # from 1, and less than 1 << 16
    return instance << 16 | label


def _tree(x, y, between):
    yield Solid("cylinder", x, y, PAVEMENT, (between(0.13, 0.25), 3), 0.3, TRUNK)
    radius = between(1.2, 2)
    leaves = {"label": VEGETATION, "porosity": 0.3, "depth": radius}
    yield Solid("ball", x, y, 2.2, (radius,), 0.45, **leaves)


def _car(x, y, yaw, label, between):
    paint, length = between(0.15, 0.8), between(3.9, 4.7)
    if between(0, 1) < 0.12:  # a van
        yield _box(x, y, 0.3, (length + 1, 1.95, 1.9), paint, label, yaw)
        return
    yield _box(x, y, 0.25, (length, 1.76, 0.62), paint, label, yaw)
    x, y = x - 0.06 * length * cos(yaw), y - 0.06 * length * sin(yaw)
    glass = 0.52 * length, 1.5, 0.52
    yield _box(x, y, 0.87, glass, 0.1, label, yaw, porosity=0.4)
    yield _box(x, y, 1.37, (0.42 * length, 1.4, 0.08), paint, label, yaw)


def _box(x, y, z, size, reflectance, label, yaw=0.0, **more):
    return Solid("box", x, y, z, size, reflectance, label, yaw, **more)


def _view_of_ground(here, rays):
    """Return the view of the bare road, its reflectance and its labels."""
    with np.errstate(divide="ignore"):
        distance = np.where(rays[2] < 0, -here[2] / rays[2], np.inf)
    x, y = (here[axis] + np.minimum(distance, 1e3) * rays[axis] for axis in (0, 1))
    into = np.mod(x, BLOCK * LOT) - BLOCK // 2 * LOT  # 0 to LOT is the crossing
    side = np.abs(y)
    lines = ((side < 0.09) & (np.mod(x, 9) < 3)) | (np.abs(side - 3.8) < 0.08)
    lines &= (into < -4) | (into > LOT + 4)
    zebra = (np.abs(into + 2) < 1.3) | (np.abs(into - LOT - 2) < 1.3)
    zebra &= (side < KERB) & (np.mod(y, 1) < 0.5)
    reflectance = np.where(lines | zebra, 0.85, 0.22)
    view = View(distance, np.abs(rays[2]), np.zeros(distance.shape, dtype=np.int16))
    return view, reflectance, np.where(lines, MARKING, ROAD)


def _add_to_view(solid, what, here, rays, view):
    """Add an object to the view, as number `what`: it hides what is behind it."""
    x, y = solid.x - here[0], solid.y - here[1]
    around = hypot(*solid.size[:2]) / 2 if solid.shape == "box" else solid.size[0]
    away = hypot(x, y)
    if away > REACH + around:
        return
    columns = slice(None)
    if away > around:  # only the sector in which it can be seen
        bearing, half, step = atan2(y, x), asin(around / away), TURN[1]
        first, last = floor((bearing - half) / step), floor((bearing + half) / step) + 1
        columns = np.arange(first, last + 1) % len(TURN)
    rays = [ray[:, columns] for ray in rays]
    hits = {"box": _hit_box, "cylinder": _hit_cylinder, "ball": _hit_ball}
    with np.errstate(divide="ignore", invalid="ignore"):
        distance, cosine = hits[solid.shape](solid, (x, y, solid.z - here[2]), rays)
    hit = distance < view.distance[:, columns]
    for array, new in zip(view, (distance, cosine, what), strict=True):
        array[:, columns] = np.where(hit, new, array[:, columns])


def _hit_box(solid, at, rays):
    """Return the distance to a box along each ray, inf for a miss, and the cosine."""
    c, s = cos(solid.yaw), sin(solid.yaw)
    rays = c * rays[0] + s * rays[1], c * rays[1] - s * rays[0], rays[2]
    middle = c * at[0] + s * at[1], c * at[1] - s * at[0]
    length, width, height = solid.size
    low = middle[0] - length / 2, middle[1] - width / 2, at[2]
    high = middle[0] + length / 2, middle[1] + width / 2, at[2] + height
    enter, leave, cosine = np.array(0.0), np.array(np.inf), np.array(0.0)
    for near, far, ray in zip(low, high, rays, strict=True):
        first, second = near / ray, far / ray
        nearer = np.minimum(first, second)
        cosine = np.where(nearer > enter, np.abs(ray), cosine)
        enter = np.maximum(enter, nearer)
        leave = np.minimum(leave, np.maximum(first, second))
    return np.where((enter < leave) & (enter > 0), enter, np.inf), cosine


def _hit_cylinder(solid, at, rays):
    radius, height = solid.size
    distance, cosine = _hit_round(at[:2], radius, rays[:2])
    foot = distance * rays[2] - at[2]
    return np.where((foot > 0) & (foot < height), distance, np.inf), cosine


def _hit_ball(solid, at, rays):
    (radius,) = solid.size
    return _hit_round((*at[:2], at[2] + radius), radius, rays)


def _hit_round(middle, radius, rays):
    """As `_hit_box`, for a circle or a ball, with rays of as many coordinates."""
    square = sum(ray * ray for ray in rays)
    along = sum(m * ray for m, ray in zip(middle, rays, strict=True))
    beyond = sum(m * m for m in middle) - radius * radius
    root = np.sqrt(along * along - square * beyond)  # not a number if the ray misses
    distance = (along - root) / square
    return np.where(distance > 0, distance, np.inf), root / radius
