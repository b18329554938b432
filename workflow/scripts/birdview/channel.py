"""Channels: what the planes of an image show, and the slices of z they show it of."""

from bisect import bisect_left
from itertools import pairwise
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from birdview.grid import Axis

COUNTS = ("count", "records")


class Slices(NamedTuple):
    """Parts of the cells, one above the other.

    Attributes
    ----------
    lows, spans : tuple of float
        The lower edge of each slice and its height, in metres of z.
    starts : tuple of float
        The least float32 in each slice; then the least that is above the last.
    reaches_top : bool
        Whether the last one ends where the region does.
    """

    lows: tuple[float, ...]
    spans: tuple[float, ...]
    starts: tuple[float, ...]
    reaches_top: bool


class Channel(NamedTuple):
    """One plane of the image: a statistic of each cell, scaled to 0..255.

    Attributes
    ----------
    name, statistic : str
        See the schema for the statistics.
    slice : int or None
        The slice whose points count, the lowest is 0; None for all points of the cell.
    scale : str
        ``linear``, ``scan`` (linear too, over the range of the scan) or ``log``.
    low, span : float
        If linear, `low` becomes 0 and ``low + span`` becomes 255.
    base : int
        If log, the count whose logarithm, ``ln(base)``, becomes 255.
    """

    name: str
    statistic: str
    slice: int | None
    scale: str
    low: float = 0.0
    span: float = 0.0
    base: int = 0

    @property
    def limits(self):
        """The values that become 0 and 255; None where the scan decides."""
        return {
            "linear": (self.low, self.low + self.span),
            "log": (0, self.base - 1),
            "scan": None,
        }[self.scale]


def slice_region(wanted, z, arithmetic):
    """Cut a region into slices.

    Parameters
    ----------
    wanted : int or list of float
        Their number, or their edges.
    z : Interval
        The region's.
    arithmetic : str
        The NumPy type in which z is divided or compared.

    Raises
    ------
    ValueError
        If the region has no ends, or if the edges do not rise inside it.
    """
    is_equal = isinstance(wanted, int)
    if is_equal:
        if not isfinite(z.max - z.min):
            raise ValueError(f"{wanted}, expected region: z: min and max with it")
        step = (z.max - z.min) / wanted
        lows = [z.min + number * step for number in range(wanted)]
        spans, top = [step] * wanted, z.max
        index = Axis(2, z.min, step, 0, wanted, True, False, arithmetic).to_index
    else:
        *lows, top = edges = list(map(float, wanted))
        spans = [high - low for low, high in pairwise(edges)]
        if min(spans) <= 0:
            raise ValueError(f"{wanted}, expected rising numbers")
        if edges[0] < z.min or z.max < top:
            raise ValueError(
                f"{wanted}, expected numbers in the region's z, {z.min:g} to {z.max:g}"
            )
        rounded = np.array(edges, dtype=arithmetic)

        def index(z):
            return np.searchsorted(rounded, z, side="right") - 1

    # The index grows with z, so that it is enough to know where each slice starts.
    ends = lows[0] - spans[0], top + spans[-1]
    starts = [_find_float32(index, number, *ends) for number in range(len(lows) + 1)]
    if is_equal:
        starts[0] = -inf  # whatever rounding makes of the region's lower end
    if z.has_max and top == z.max:
        starts[-1] = inf
    return Slices(tuple(lows), tuple(spans), tuple(starts), top == z.max)


def _find_float32(index, number, low, high):
    """Return the least float32 from low to high whose index is a number or more."""
    ranks = range(_rank(low), _rank(high))
    place = bisect_left(ranks, number, key=lambda rank: int(index(_float32(rank))))
    return float(_float32(ranks.start + place))


# The floats of one sign are in the order of their bits.


def _rank(number):
    number = np.float32(number)
    return int(np.copysign(1, number)) * int(abs(number).view(np.int32))


def _float32(rank):
    return np.copysign(np.int32(abs(rank)).view(np.float32), np.float32(rank))


def expand_channel(settings, slices, ground, up):
    """Return the channels that an entry of an encoding's file stands for.

    Parameters
    ----------
    settings : mapping
        The entry, as the schema has it.
    slices : Slices or None
    ground : float
        The z of height 0.
    up : int
        1 if heights grow with z, -1 if they grow downwards.

    Returns
    -------
    list of Channel
        One for each slice, or one.

    Raises
    ------
    ValueError
        If what the entry asks for does not fit together.
    """
    _check(settings, len(slices.lows) if slices else 0)
    name, part = settings["name"], settings.get("slice")
    if part == "each":
        parts = {f"{name}_{k}": k for k in range(len(slices.lows))}
    else:
        parts = {name: part}
    return [
        Channel(
            name, settings["statistic"], k, *_scale(settings, slices, k, ground, up)
        )
        for name, k in parts.items()
    ]


def _check(settings, count):
    """Refuse what does not fit together, where there are so many slices."""
    statistic, part = settings["statistic"], settings.get("slice")
    limits = settings.get("range")
    scales = [key for key in ("range", "log") if key in settings]
    if statistic == "occupancy":
        if scales:
            raise ValueError(
                f"{scales[0]} of occupancy, expected neither range nor log"
            )
    elif len(scales) != 1:
        raise ValueError(
            f"{' and '.join(scales) or 'no range nor log'}, expected one of the two"
        )
    if "log" in scales and statistic not in COUNTS:
        raise ValueError(f"log of {statistic}, expected {' or '.join(COUNTS)}")
    if part is not None and not count:
        raise ValueError(f"slice {part}, expected slices: to say where they are")
    if part not in (None, "each", *range(count)):
        raise ValueError(f"slice {part}, expected 0 to {count - 1}")
    if limits == "slice" and (part is None or not statistic.endswith("_height")):
        raise ValueError("range slice, expected a height of a slice")
    if isinstance(limits, list) and not limits[0] < limits[1]:
        raise ValueError(f"range {limits}, expected the lower number first")


def _scale(settings, slices, part, ground, up):
    """Return the scale of a channel, and its low and span or its base."""
    if "log" in settings:
        return "log", 0.0, 0.0, settings["log"]
    limits = settings.get("range", [0, 1])  # an occupancy is a count over 1
    if limits == "scan":
        return ("scan",)
    if limits == "slice":
        low, span = slices.lows[part] - ground, slices.spans[part]
        return "linear", low if up > 0 else -(low + span), span
    low, high = map(float, limits)
    return "linear", low, high - low
