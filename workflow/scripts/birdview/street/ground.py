"""The ground of the street: carriageways, pavements, gardens, and rays that hit them.

A crossing comes every 120 m. Cars park in bays, three in a row between islands with
trees. |y| is counted from the middle of the street, `c` from that of the side street.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import floor
from typing import NamedTuple

import numpy as np

from birdview.street.casting import REACH, Rays, View
from birdview.street.materials import GROUND

LOT = 10.0  # length along the street
BLOCK = 12  # lots from crossing to crossing, which is a lot itself
LANES, KERB, FENCE_LINE = 3.8, 6.0, 9.2  # |y| of the bays, the kerb and the gardens
CORNER = 4.1  # |y| of the kerb at a crossing
SIDE_KERB, SIDE_FENCE = 3.2, 5.0  # c of the side street's kerb and its houses
ISLANDS = 20.0  # from island to island
PAVEMENT = 0.13  # its height above the road

ASPHALT, TRACK, BAY, PAINT, PAVING, FACE, LAWN, BED = range(len(GROUND))


class Yard(NamedTuple):
    """The ground of a lot behind the pavement.

    Attributes
    ----------
    material : int
        That of most of it: its number in `GROUND`.
    drive : tuple of float
        From where to where along the lot it is paved.
    """

    material: int
    drive: tuple[float, float]


def crossing(x: float) -> float:
    """Return the x of the middle of the nearest crossing."""
    length = BLOCK * LOT
    return floor(x / length) * length + (BLOCK // 2 + 0.5) * LOT


def view_ground(
    here: tuple[float, float, float],
    rays: Rays,
    yards: Sequence[Sequence[Yard]],
    first: int,
) -> View:
    """Return the view of the bare ground.

    Parameters
    ----------
    here : tuple of float
        Where the sensor is.
    rays : Rays
    yards : sequence of sequence of Yard
        On the right and on the left, lot by lot.
    first : int
        The number of the first of these lots.
    """
    shape = rays.x.shape
    nearness = np.zeros(shape, dtype=np.float32)
    cosine = np.zeros(shape, dtype=np.float32)
    what = np.zeros(shape, dtype=np.int16)
    near = slice(bisect_right(rays.falls, here[2] / REACH), None)
    inverse = rays.z[near] * np.float32(-1 / here[2])
    far_x, far_y = rays.x[near] / inverse, rays.y[near] / inverse

    def at(rise):
        """Return where rays are that much, in heights of the sensor, above 0."""
        still = np.float32(1) - rise
        return np.float32(here[0]) + still * far_x, np.float32(here[1]) + still * far_y

    lift = np.float32(PAVEMENT / here[2])
    sinks = _camber(far_y + np.float32(here[1])) / np.float32(here[2])
    (high_x, high_y), (low_x, low_y) = at(lift), at(sinks)
    is_high = ~_is_road(high_x, high_y)
    is_face = ~is_high & ~_is_road(low_x, low_y)
    x, y = np.where(is_high, high_x, low_x), np.where(is_high, high_y, low_y)
    rise = np.where(is_face, np.float32(0), np.where(is_high, lift, sinks))
    nearness[near] = inverse / (1 - rise - _roughness(x, y) / np.float32(here[2]))
    cosine[near] = np.where(is_face, np.float32(0.5), -rays.z[near])
    table = [[yard.material for yard in side] for side in yards]
    drives = [[yard.drive for yard in side] for side in yards]
    surface = _surface(x, y, is_high, (np.array(table), np.array(drives), first))
    what[near] = np.where(is_face, FACE, surface)
    return View(nearness, cosine, what)


def _mod(x, length):
    return x - np.floor(x / np.float32(length)) * np.float32(length)


def _wave(x, length):
    """Return a wave of parabolas, from 0 to 1."""
    part = x / np.float32(length)
    part = part - np.floor(part)
    return 4 * part * (1 - part)


def _camber(y):
    """Return how much higher the road is than at the sensor: it slopes to the kerbs."""
    return np.float32(0.006) * (
        np.float32(1.8) - np.minimum(np.abs(y), np.float32(KERB))
    )


def _roughness(x, y):
    return np.float32(0.03) * (_wave(x, 23) * _wave(y + x / 3, 17) - np.float32(0.5))


def _from_crossing(x):
    """Return how far x is behind the middle of the nearest crossing; at most 60 m."""
    length = np.float32(BLOCK * LOT)
    past = x - np.float32((BLOCK // 2 + 0.5) * LOT)
    return past - np.round(past / length) * length


def _is_road(x, y):
    """Return where the carriageway is, which lies below the pavements."""
    side, c = np.abs(y), np.abs(_from_crossing(x))
    at_crossing = c < 10
    island = np.abs(x - np.round(x / np.float32(ISLANDS)) * np.float32(ISLANDS)) < 1
    kerb = np.where(at_crossing | island, np.float32(CORNER), np.float32(KERB))
    out, aside = CORNER + 2.5 - side, SIDE_KERB + 2.5 - c
    rounded = (out > 0) & (aside > 0) & (out * out + aside * aside > 2.5**2)
    return (side < kerb) | (c < SIDE_KERB) | rounded


def _surface(x, y, is_high, yards):
    """Return the number of the material of each place."""
    side, past = np.abs(y), _from_crossing(x)
    c = np.abs(past)
    surface = np.where(side < LANES, ASPHALT, BAY).astype(np.int16)
    surface[c < 10] = ASPHALT
    wheels = np.abs(np.abs(side - np.float32(1.85)) - np.float32(0.75)) < 0.25
    surface[wheels & (c > 5)] = TRACK
    surface[_is_painted(x, y, past)] = PAINT
    surface[is_high] = PAVING
    island = (side < KERB - 0.3) & (side > CORNER + 0.2) & (c > 10)
    surface[is_high & island] = BED
    private = (side > FENCE_LINE) & (c > SIDE_FENCE)
    materials, drives, first = yards
    lot = np.floor(x[private] / np.float32(LOT))
    along = x[private] - lot * np.float32(LOT)
    number = np.clip(lot.astype(np.intp) - first, 0, materials.shape[1] - 1)
    which = (y[private] > 0).astype(np.intp), number
    in_drive = (along > drives[(*which, 0)]) & (along < drives[(*which, 1)])
    in_drive &= side[private] < 17
    surface[private] = np.where(in_drive, PAVING, materials[which])
    return surface


def _is_painted(x, y, past):
    """Return where lanes, bays, stop lines and zebras are marked."""
    side, c = np.abs(y), np.abs(past)
    on_street = c > 10
    painted = (side < 0.08) & (_mod(x, 6) < 3) & on_street
    painted |= (np.abs(side - np.float32(LANES)) < 0.07) & on_street
    bay = _mod(_mod(x, ISLANDS) - 1, 6)
    painted |= (bay < 0.12) & (side > LANES) & on_street
    painted |= (np.abs(c - np.float32(9.3)) < 0.25) & (side < 3.6) & (y * past > 0)
    zebra = (np.abs(c - 7) < 1.3) & (side < CORNER) & (_mod(y, 1) < 0.5)
    other = (np.abs(side - np.float32(8)) < 1.3) & (c < SIDE_KERB)
    return painted | zebra | other & (_mod(past, 1) < 0.5)
