"""What stands on the street, lot by lot: the seed and a lot's number decide.

The same numbers are drawn for a lot wherever it is seen from.
"""

from collections.abc import Iterator
from math import floor, pi, sin
from random import Random
from typing import NamedTuple

from birdview.street import objects
from birdview.street.ground import (
    BLOCK,
    FENCE_LINE,
    ISLANDS,
    LAWN,
    LOT,
    PAVEMENT,
    PAVING,
    Yard,
    crossing,
)
from birdview.street.materials import (
    BICYCLE,
    CAR,
    HEDGE,
    MOVING_BICYCLIST,
    MOVING_CAR,
    MOVING_PERSON,
    PERSON,
    PICKETS,
    WALL,
)
from birdview.street.objects import Between
from birdview.street.solids import Place, Thing

SIGHT = 72.0
"""Metres to which things stand on the street."""
LANE = -1.8
"""y of the lane of the sensor."""


class Lot(NamedTuple):
    """A lot on one side of the street.

    Attributes
    ----------
    yard : Yard
    things : list of Thing
    """

    yard: Yard
    things: list[Thing]


class Street(NamedTuple):
    """What is within range.

    Attributes
    ----------
    first : int
        The number of the first lot.
    yards : list of list of Yard
        On the right and on the left, lot by lot.
    things : list of Thing
    """

    first: int
    yards: list[list[Yard]]
    things: list[Thing]


def look_around(x: float, seed: int) -> Street:
    """Return what stands and drives within range of a place."""
    first, last = floor((x - SIGHT) / LOT) - 1, floor((x + SIGHT) / LOT) + 1
    sides = [
        [_lot(lot, side, _draw(seed, 1, lot, side)) for lot in range(first, last + 1)]
        for side in (-1, 1)
    ]
    things = [thing for side in sides for lot in side for thing in lot.things]
    for number in range(floor((x - SIGHT) / ISLANDS), floor((x + SIGHT) / ISLANDS) + 1):
        for side in (-1, 1):
            things += _kerbside(number, side, _draw(seed, 4, number, side))
    things += _traffic(x, seed)
    return Street(first, [[lot.yard for lot in side] for side in sides], things)


def _draw(seed: int, *what: int) -> Between:
    """Return a function that draws numbers for one part of the street."""
    return Random(" ".join(map(str, (seed, *what)))).uniform


def _lot(lot, side, between):
    """Return what is behind the kerb: a house, a garden or a yard, and people."""
    if lot % BLOCK == BLOCK // 2:
        return Lot(Yard(PAVING, (0, 0)), list(_side_street(lot, side, between)))
    start, kind, number = lot * LOT, between(0, 1), 2 * lot + (side > 0)
    if kind < 0.4:
        drive = LOT - 3.4, LOT - 0.4
        yard, things = Yard(LAWN, drive), _villa(start, side, number, between)
    elif kind < 0.68:
        yard = Yard(PAVING, (0, 0))
        front = FENCE_LINE + between(0.2, 0.9)
        things = [objects.house(start, start + LOT, front, side, between)]
    elif kind < 0.87:
        yard, things = Yard(LAWN, (0, 0)), _garden(start, side, between)
    else:
        yard = Yard(PAVING, (0, 0))
        things = _car_park(start, side, number, between)
    things = [*things, *_backyard(start, side, between)]
    for person in range(2):
        at = Place(
            start + between(0, LOT), side * between(6.7, 8.7), PAVEMENT, between(0, 6)
        )
        if between(0, 1) < 0.25:
            label = label_one(PERSON, 2 * number + person, 0)
            things.append(objects.person(at, label, between))
    if between(0, 1) < 0.22:
        at = Place(start + between(2, 8), side * 8.85, PAVEMENT, between(-0.15, 0.15))
        things.append(objects.bicycle(at, label_one(BICYCLE, number, 4), between))
    return Lot(yard, things)


def _villa(start, side, number, between):
    """Yield a house behind a front garden, and a drive beside it."""
    front, end = between(12.4, 14.6), start + LOT - 3.6
    yield objects.house(start + between(0, 0.6), end, front, side, between)
    material, height, width = (
        (HEDGE, between(0.8, 1.5), between(0.5, 0.9)),
        (PICKETS, 1.1, 0.05),
        (WALL, between(0.5, 1.0), 0.3),
    )[int(between(0, 3))]
    gate = start + between(2, 4.5)
    y = side * (FENCE_LINE + 0.2 + width / 2)
    yield objects.row(start, gate, y, height, width, material)
    yield objects.row(gate + 1.2, end, y, height, width, material)
    for _ in range(2):
        at = Place(start + between(1, 6), side * between(10.6, 11.8), PAVEMENT)
        yield objects.bush(at, between)
    if between(0, 1) < 0.4:
        at = Place(start + between(1, 6), side * 11.2, PAVEMENT)
        yield objects.tree(at, between)
    drive = end + 1.7
    if between(0, 1) < 0.6:
        at = Place(drive, side * (front + between(5, 7)), PAVEMENT)
        yield objects.garage(at, side, between)
    if between(0, 1) < 0.5:
        yaw = (pi if between(0, 1) < 0.5 else 0) + pi / 2 + between(-0.04, 0.04)
        at = Place(drive, side * between(11.9, 12.6), PAVEMENT, yaw)
        yield objects.car(at, label_one(CAR, number, 5), between)


def _garden(start, side, between):
    """Yield a garden behind a hedge, with trees and bushes."""
    material = (HEDGE, PICKETS)[int(between(0, 2))]
    gate, height = start + between(2, 7), between(0.9, 1.4)
    width = 0.7 if material == HEDGE else 0.05
    y = side * (FENCE_LINE + 0.5)
    yield objects.row(start, gate, y, height, width, material)
    yield objects.row(gate + 1.4, start + LOT, y, height, width, material)
    for depth in (12.5, 18):
        at = Place(start + between(1, 9), side * (depth + between(-1.5, 1.5)), PAVEMENT)
        yield objects.tree(at, between)
    for _ in range(4):
        at = Place(start + between(0.5, 9.5), side * between(11, 21), PAVEMENT)
        yield objects.bush(at, between)


def _car_park(start, side, number, between):
    """Yield cars side by side, behind a wall with an entrance."""
    y = side * (FENCE_LINE + 0.3)
    yield objects.row(start, start + 5.5, y, between(0.4, 0.8), 0.3, WALL)
    for space in range(3):
        yaw = (pi if between(0, 1) < 0.5 else 0) + pi / 2 + between(-0.06, 0.06)
        at = Place(
            start + 1.6 + 2.7 * space, side * (17 + between(-0.4, 0.4)), PAVEMENT, yaw
        )
        if between(0, 1) < 0.75:
            label = label_one(CAR, 3 * number + space, 1)
            yield objects.car(at, label, between)
    at = Place(start + between(1, 4), side * 11.2, PAVEMENT)
    yield objects.tree(at, between)


def _backyard(start, side, between):
    """Yield what is behind the houses."""
    for depth in (26, 29):
        at = Place(start + between(1, 9), side * (depth + between(-1, 1)), PAVEMENT)
        if between(0, 1) < 0.5:
            yield objects.tree(at, between)
        at = Place(start + between(1, 9), side * between(24, 30), PAVEMENT)
        yield objects.bush(at, between)
    yield objects.row(start, start + LOT, side * 32, between(1.2, 1.9), 0.8, HEDGE)


def _side_street(lot, side, between):
    """Yield what stands at one side of a crossing, and along the side street."""
    middle = (lot + 0.5) * LOT
    number = 2 * lot + (side > 0)
    yaw = -side * pi / 2
    for n, (away, share) in enumerate(((between(12, 13.5), 0.6), (between(21, 30), 1))):
        at = Place(middle - side * 1.6, side * away, 0, yaw)
        if between(0, 1) < share:
            label = label_one(CAR, 2 * number + n, 6)
            yield objects.car(at, label, between)
    for along in (-1, 1):
        for away in (15, 23, 31):
            at = Place(middle + along * 4.4, side * (away + along), PAVEMENT)
            yield objects.tree(at, between)
        corner = Place(
            middle + along * 9.6, side * 4.6, PAVEMENT, 0 if along < 0 else pi
        )
        yield (objects.traffic_light if along * side > 0 else objects.sign)(
            corner, between
        )
        for n in range(2):
            at = Place(
                middle + along * between(6, 8.5),
                side * between(4.6, 7.5),
                PAVEMENT,
                between(0, 6),
            )
            if between(0, 1) < 0.5:
                label = label_one(PERSON, 4 * number + 2 * n + (along > 0), 7)
                yield objects.person(at, label, between)


def _kerbside(number, side, between):
    """Yield the trees, lamps and parked cars from one island to the next."""
    start = number * ISLANDS
    place = Place(start, side * 5.1, PAVEMENT)
    if abs(start - crossing(start)) > 10:
        if between(0, 1) < 0.8:
            yield objects.tree(place, between)
        else:
            yield objects.bush(place, between)
    if number % 2 == (side > 0):
        yield objects.lamp(
            Place(start + ISLANDS / 2 + 3, side * 6.5, PAVEMENT), between
        )
    for bay in range(3):
        middle = start + 4 + 6 * bay
        yaw = between(-0.03, 0.03) + (pi if side > 0 else 0)
        at = Place(middle + between(-0.4, 0.4), side * between(4.9, 5.0), -0.02, yaw)
        if between(0, 1) < 0.7 and abs(middle - crossing(middle)) > 12.9:
            label = label_one(CAR, 6 * number + 3 * (side > 0) + bay, 2)
            yield objects.car(at, label, between)


def _traffic(x, seed):
    """Yield who moves: oncoming cars, two that drive with the sensor, and others."""
    apart, way = 35.0, 1.1 * x + 12  # what oncoming cars have driven
    for car, at in _stream(x, way, apart):
        between = _draw(seed, 2, car)
        place = Place(at + between(0, 0.7) * apart, between(1.6, 2.1), 0, pi)
        label = label_one(MOVING_CAR, 2 * car, 3)
        yield objects.car(place, label, between)
    between = _draw(seed, 3)
    for car, (ahead, y) in enumerate(
        ((18 + 5 * sin(x / 30), LANE + 0.2), (-21 + 4 * sin(x / 40), LANE - 0.1))
    ):
        label = label_one(MOVING_CAR, 2 * car + 1, 3)
        yield objects.car(Place(x + ahead, y), label, between)
    for side in (-1, 1):  # they walk 0.14 m a scan, on either side the other way
        for one, at in _stream(x, side * 0.14 * x, 12.0):
            between = _draw(seed, 5, one, side)
            at += between(0, 12)
            place = Place(at, side * between(6.8, 8.6), PAVEMENT, pi if side > 0 else 0)
            label = label_one(MOVING_PERSON, 2 * one + (side > 0), 8)
            if between(0, 1) < 0.6:
                yield objects.person(place, label, between)
    for one, at in _stream(x, 0.4 * x, 45.0):
        between = _draw(seed, 6, one)
        place = Place(at + between(0, 30), between(2.9, 3.3), 0, pi)
        label = label_one(MOVING_BICYCLIST, one, 9)
        yield objects.cyclist(place, label, between)


def _stream(x, way, apart) -> Iterator[tuple[int, float]]:
    """Yield numbers and places of all who have come `way` towards us, within range."""
    first, last = floor((x + way - SIGHT) / apart), floor((x + way + SIGHT) / apart)
    for number in range(first, last + 1):
        yield number, number * apart - way


def label_one(label: int, number: int, group: int) -> int:
    """Label one object: its number is unique in one of ten groups."""
    instance = 1 + (10 * number + group) % 65530  # from 1, and less than 1 << 16
    return instance << 16 | label
