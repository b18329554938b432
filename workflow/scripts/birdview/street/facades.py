"""Facades: the windows and doors of houses."""

from collections.abc import Sequence

import numpy as np

from birdview.street.ground import PAVEMENT
from birdview.street.solids import Facade

STOREY = 3.0  # the height of one
INSIDE = 1.8  # how far behind a window returns come from
RECESS = 0.35  # of a door
MIRRORED = 0.75  # the share of rays that windows send elsewhere


def find_openings(
    facades: Sequence[Facade], house: np.ndarray, position: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Find out which hits of houses are of windows and doors.

    Parameters
    ----------
    facades : sequence of Facade
    house : ndarray of int, shape (N,)
        The position of each hit's house in the sequence.
    position : sequence of ndarray of float32, shape (N,)
        Where the hits are, in the axes of the street.

    Returns
    -------
    windows, doors : ndarray of int
        Which of them.
    """
    table = np.array(facades, dtype=np.float32).reshape(-1, 4).T
    x, y, z = position
    front = np.flatnonzero(np.abs(y - table[0].take(house)) < 0.01)
    house, x, height = house[front], x[front], z[front] - np.float32(PAVEMENT)
    axis = (x - table[1].take(house)) / table[2].take(house)
    number = np.floor(axis)
    aside = np.abs(axis - number - np.float32(0.5))
    above = height - np.floor(height / np.float32(STOREY)) * np.float32(STOREY)
    has_door = (number == table[3].take(house)) & (height < STOREY)
    windows = ~has_door & (aside < 0.27) & (above > 0.9) & (above < 2.3)
    doors = has_door & (aside < 0.24) & (height < 2.2)
    return front[windows], front[doors]
