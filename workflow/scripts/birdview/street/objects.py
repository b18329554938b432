"""Objects in the street, each made of solids: cars, people, trees, houses and others.

`between` draws a number between two.
"""

from collections.abc import Callable, Iterator
from math import hypot
from random import Random
from typing import NamedTuple

from birdview.street import materials
from birdview.street.ground import PAVEMENT
from birdview.street.materials import Material
from birdview.street.solids import (
    Facade,
    Place,
    Solid,
    Thing,
    ball,
    block,
    cylinder,
    wheel,
)

Between = Callable[[float, float], float]


def _thing(place, radius, height, between, parts, *what) -> Thing:
    """Return an object whose parts follow from a number that is drawn now."""
    seed = int(between(0, 2**32))

    def build(near):
        return parts(place, *what, near, Random(seed).uniform)

    return Thing(place.x, place.y, place.z, radius, height, build)


class Model(NamedTuple):
    """A kind of car.

    Attributes
    ----------
    length, width : float
    shoulder, roof : float
        The heights of the body and of the cabin on it.
    shift : float
        How far ahead of the middle the cabin is.
    cabin : float
        The length of its base.
    rake : tuple of float
        How much shorter its roof is at the front, the back and each side.
    has_glass : bool
        Whether the cabin is of glass, not of sheet metal.
    """

    length: float
    width: float
    shoulder: float
    roof: float
    shift: float
    cabin: float
    rake: tuple[float, float, float]
    has_glass: bool = True


SALOON = Model(4.5, 1.8, 0.92, 1.45, -0.25, 3.0, (0.95, 0.75, 0.18))
ESTATE = Model(4.2, 1.78, 0.95, 1.52, -0.5, 3.0, (0.9, 0.3, 0.18))
VAN = Model(5.0, 1.95, 1.1, 2.0, -0.3, 4.3, (0.7, 0.1, 0.1), has_glass=False)


def car(place: Place, label: int, between: Between) -> Thing:
    """Return a car: a saloon, an estate or a van."""
    return _thing(place, 2.95, 2.05, between, _car, label)


def _car(place, label, near, between) -> Iterator[Solid]:
    kind, colour, longer = between(0, 1), between(0, 1), between(-0.2, 0.3)
    model = SALOON if kind < 0.5 else ESTATE if kind < 0.87 else VAN
    model = model._replace(length=model.length + longer, cabin=model.cabin + longer)
    paint = Material(label, 0.05 + 0.65 * colour * colour)
    cut = 0.35 if near else 0.0
    lower = model.length, model.width, 0.4
    yield block(place.move(0, 0, 0.22), lower, paint, cut)
    upper = model.length - 0.06, model.width - 0.04, model.shoulder - 0.62
    yield block(place.move(0, 0, 0.62), upper, paint, cut, rake=(0.2, 0.12, 0.04))
    cabin = model.cabin, model.width - 0.16, model.roof - 0.06 - model.shoulder
    glass = Material(label, materials.GLASS, porosity=0.6, depth=0.8)
    at = place.move(model.shift, 0, model.shoulder)
    yield block(at, cabin, glass if model.has_glass else paint, cut / 3, model.rake)
    if near:
        yield from _car_details(place, label, model, paint)


def _car_details(place, label, model, paint) -> Iterator[Solid]:
    """Yield the roof, wheels, bumpers, plates, lamps and mirrors of a car."""
    front, back, side = model.rake
    roof = model.cabin - front - back, model.width - 0.16 - 2 * side, 0.07
    at = place.move(model.shift + (back - front) / 2, 0, model.roof - 0.07)
    yield block(at, roof, paint, chamfer=0.1)
    end, edge = model.length / 2, model.width / 2
    for left in (-1, 1):
        for ahead in (-0.58, 0.62):
            at = place.move(ahead * end, left * (edge - 0.1), 0)
            yield wheel(at, 0.33, 0.23, Material(label, materials.RUBBER))
        at = place.move(0.32 * end, left * (edge + 0.08), model.shoulder)
        yield block(at, (0.14, 0.22, 0.16), paint)
    bumper = 2 * end + 0.16, 2 * edge - 0.25, 0.22
    plastic = Material(label, materials.PLASTIC)
    yield block(place.move(0, 0, 0.3), bumper, plastic, chamfer=0.3)
    plate, lamp = Material(label, materials.PLATE), Material(label, materials.LAMP)
    for way in (-1, 1):
        at = place.move(way * (end + 0.08), 0, 0.42)
        yield block(at, (0.05, 0.52, 0.12), plate)
        for aside in (-0.62, 0.62):
            at = place.move(way * (end - 0.14), aside, 0.64)
            yield block(at, (0.2, 0.3, 0.13), lamp)


def person(place: Place, label: int, between: Between) -> Thing:
    """Return somebody who stands or walks."""
    return _thing(place, 0.7, 2, between, _person, label)


def _person(place, label, near, between) -> Iterator[Solid]:
    tall, jacket, trousers = between(0.88, 1.06), between(0.1, 0.7), between(0.08, 0.4)
    stride = between(0.08, 0.3)
    coat, skin = Material(label, jacket), Material(label, 0.4)
    under, over = (0.78 * tall, 1.46 * tall) if near else (0.0, 1.7 * tall)
    yield cylinder(place.move(0, 0, under), 0.2, over - under, coat)
    if not near:
        return
    yield ball(place.move(0, 0, 1.47 * tall), 0.12, 0.27, skin)
    legs = Material(label, trousers)
    for left in (-1, 1):
        at = place.move(left * stride, 0.1 * left, 0)
        yield cylinder(at, 0.085, 0.8 * tall, legs)
        at = place.move(-left * stride * 0.7, 0.25 * left, 0.8 * tall)
        yield cylinder(at, 0.06, 0.6 * tall, coat)


def bicycle(place: Place, label: int, between: Between) -> Thing:
    """Return a bicycle."""
    return _thing(place, 0.95, 1.1, between, _bicycle, label)


def _bicycle(place, label, near, between) -> Iterator[Solid]:
    frame = Material(label, 0.35, porosity=0.45)
    for ahead in (-0.52, 0.52):
        yield wheel(place.move(ahead, 0, 0), 0.34, 0.05, frame)
    yield block(place.move(0, 0, 0.35), (0.8, 0.05, 0.5), frame)
    yield block(place.move(0.4, 0, 0.95), (0.06, 0.55, 0.06), Material(label, 0.3))


def cyclist(place: Place, label: int, between: Between) -> Thing:
    """Return somebody on a bicycle."""
    return _thing(place, 0.95, 2.2, between, _cyclist, label)


def _cyclist(place, label, near, between) -> Iterator[Solid]:
    yield from _bicycle(place, label, near, between)
    yield from _person(place.move(-0.1, 0, 0.2), label, near, between)


def tree(place: Place, between: Between) -> Thing:
    """Return a trunk, and a crown of several clumps of leaves."""
    return _thing(place, 3.1, 6.5, between, _tree)


def _tree(place, near, between) -> Iterator[Solid]:
    thick, wide = between(0.11, 0.24), between(1.3, 2.1)
    under = between(1.7, 2.4)
    yield cylinder(place, thick, under + 0.8, materials.BARK)
    clumps = [
        (between(-0.6, 0.6), between(-0.6, 0.6), between(0, 0.9)) for _ in range(4)
    ]
    for ahead, left, up in clumps if near else clumps[:1]:
        at = place.move(ahead * wide, left * wide, under + up)
        size = (0.62 if near else 0.9) * wide, 1.5 * wide
        leaves = materials.LEAVES._replace(depth=wide)
        yield ball(at, *size, leaves)


def bush(place: Place, between: Between) -> Thing:
    """Return a bush of two clumps."""
    return _thing(place, 1.5, 1.8, between, _bush)


def _bush(place, near, between) -> Iterator[Solid]:
    for _ in range(2):
        at = place.move(between(-0.5, 0.5), between(-0.4, 0.4), -0.15)
        yield ball(at, between(0.45, 0.9), between(0.8, 1.7), materials.BUSH)


def lamp(place: Place, between: Between) -> Thing:
    """Return a lamp post."""
    return _thing(place, 0.2, 7.2, between, _lamp)


def _lamp(place, near, between) -> Iterator[Solid]:
    yield cylinder(place, 0.13, 1.0, materials.STEEL)
    yield cylinder(place, 0.07, 7, materials.STEEL)


def sign(place: Place, between: Between) -> Thing:
    """Return a traffic sign, which is seen by those who come from behind it."""
    return _thing(place, 0.5, 2.8, between, _sign)


def _sign(place, near, between) -> Iterator[Solid]:
    yield cylinder(place, 0.04, 2.6, materials.STEEL)
    yield block(place.move(-0.06, 0, 1.95), (0.03, 0.62, 0.62), materials.REFLECTOR)


def traffic_light(place: Place, between: Between) -> Thing:
    """Return a post with a traffic light."""
    return _thing(place, 0.5, 3.5, between, _traffic_light)


def _traffic_light(place, near, between) -> Iterator[Solid]:
    yield cylinder(place, 0.08, 3.4, materials.STEEL)
    dark = materials.STEEL._replace(reflectance=0.08)
    yield block(place.move(-0.18, 0, 2.1), (0.2, 0.3, 0.85), dark)


def row(
    start: float, end: float, y: float, height: float, width: float, material: Material
) -> Thing:
    """Return a hedge, a fence or a wall along the street."""
    size = end - start, width, height
    solid = block(Place((start + end) / 2, y, PAVEMENT), size, material)

    def build(near):
        yield solid

    return Thing(*solid[:5], build, solid.corners)


def house(start: float, end: float, front: float, side: int, between: Between) -> Thing:
    """Return a house along the street, with a door, steps and maybe a bay window.

    Parameters
    ----------
    start, end : float
        x of its ends.
    front : float
        |y| of its front.
    side : int
        1 on the left, -1 on the right.
    between : function
    """
    length, deep = end - start, between(8, 12)
    middle = Place((start + end) / 2, side * (front + deep / 2 + 1.5), PAVEMENT)
    radius = hypot(length, deep + 5) / 2
    return _thing(middle, radius, 11, between, _house, start, length, front, deep, side)


def _house(_, start, length, front, deep, side, near, between) -> Iterator[Solid]:
    wall = Material(materials.BUILDING, between(0.25, 0.6))
    count = max(2, round(length / 2.4))
    pitch, door = length / count, int(between(0, count))
    facade = Facade(side * front, start, pitch, door)

    def at(x, y, z=PAVEMENT):
        return Place(start + x, side * (front + y), z)

    yield block(
        at(length / 2, deep / 2), (length, deep, between(5, 11)), wall, facade=facade
    )
    for n, out in enumerate((0.9, 0.5)):
        step = 1.7 - 0.3 * n, out, 0.17
        yield block(
            at((door + 0.5) * pitch, -out / 2, PAVEMENT + 0.16 * n),
            step,
            materials.STEPS,
        )
    if between(0, 1) < 0.5:
        bay = (door + (1.5 if door == 0 else -0.5)) * pitch
        yield block(at(bay, 0), (2.0, 1.5, 2.9), wall, chamfer=0.6)
    if between(0, 1) < 0.4:  # an extension behind
        yield block(at(2, deep + 2), (4, 4, 3), wall)
    if near:
        pipe = materials.STEEL._replace(label=wall.label)
        for x in (0.15, length - 0.15):
            yield cylinder(at(x, -0.07), 0.06, 4.5, pipe)


def garage(place: Place, side: int, between: Between) -> Thing:
    """Return a garage with its door towards the street."""
    return _thing(place, 3.6, 2.5, between, _garage, side)


def _garage(place, side, near, between) -> Iterator[Solid]:
    wall = Material(materials.BUILDING, 0.45)
    yield block(place, (3.2, 6, 2.5), wall)
    yield block(place.move(0, -3 * side, 0), (2.5, 0.1, 2.1), materials.SHADE)
