"""What the planes of an image show, and the slices of z that they show it of."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from birdview.pixels.grid import Axis, Interval
from birdview.pixels.statistic import STATISTICS, Statistic, find_statistic

OWN_FIELDS = "x", "y", "z", "intensity"
"""The fields that every point has, in the frame of the image; others come with it."""

_UNITS = {"x": "m", "y": "m", "z": "m", "intensity": "1"}
_UNITS |= {"age": "sweeps", "class": "class"}


class Slices(NamedTuple):
    """Slices of the cells, one above the other.

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
    name : str
    statistic : str
        One of `birdview.pixels.statistic.STATISTICS`.
    slice_index : int or None
        The slice whose points count, the lowest is 0; None for all points of the cell.
    scale : str
        ``linear``, ``scan`` (linear too, over the range of the scan) or ``log``.
    low, span : float
        If linear, `low` becomes 0 and ``low + span`` becomes 255.
    base : int
        If log, the count whose logarithm, ``ln(base)``, becomes 255.
    of : str or None
        The field of the points that the statistic is of; None if it is not of one.
    values : tuple of float
        The values of the field that `count` and `priority` ask for.
    unit : str
        The unit of the statistic, as in `birdview.pixels.statistic`. Decides no pixel.
    """

    name: str
    statistic: str
    slice_index: int | None
    scale: str
    low: float = 0.0
    span: float = 0.0
    base: int = 0
    of: str | None = None
    values: tuple[float, ...] = ()
    unit: str = ""

    @property
    def limits(self) -> tuple[float, float] | None:
        """The values that become 0 and 255; None where the scan decides."""
        if self.scale == "scan":
            return None
        if self.scale == "log":
            return 0, self.base - 1
        return self.low, self.low + self.span


def slice_region(wanted: int | Sequence[float], z: Interval, arithmetic: str) -> Slices:
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
    if isinstance(wanted, int):
        if not isfinite(z.max - z.min):
            raise ValueError(f"{wanted}, expected region: z: min and max with it")
        step = (z.max - z.min) / wanted
        lows = [z.min + number * step for number in range(wanted)]
        spans, top = [step] * wanted, z.max
        index = Axis(2, z.min, step, 0, wanted, True, False, arithmetic).to_index
    else:
        edges = list(map(float, wanted))
        *lows, top = edges
        spans = [high - low for low, high in pairwise(edges)]
        if min(spans) <= 0:
            raise ValueError(f"{wanted}, expected rising numbers")
        if edges[0] < z.min or z.max < top:
            raise ValueError(
                f"{wanted}, expected numbers in the region's z, {z.min:g} to {z.max:g}"
            )
        rounded = np.array(edges, dtype=arithmetic)

        def index(metres: ArrayLike) -> NDArray[np.int64]:
            return np.asarray(np.searchsorted(rounded, metres, side="right") - 1)

    # The index grows with z, so it is enough to know where each slice starts.
    ends = lows[0] - spans[0], top + spans[-1]
    starts = [_find_float32(index, number, *ends) for number in range(len(lows) + 1)]
    if isinstance(wanted, int):
        starts[0] = -inf  # however the region's lower end is rounded
    if z.has_max and top == z.max:
        starts[-1] = inf
    return Slices(tuple(lows), tuple(spans), tuple(starts), top == z.max)


def _find_float32(
    index: Callable[[ArrayLike], NDArray[np.int64]],
    wanted: int,
    low: float,
    high: float,
) -> float:
    """Return the least float32 from low to high whose index is `wanted` or more."""
    ranks = range(_rank(low), _rank(high))
    offset = bisect_left(ranks, wanted, key=lambda rank: int(index(_float32(rank))))
    return float(_float32(ranks.start + offset))


# The floats of one sign are in the order of their bits.


def _rank(number: float) -> int:
    single = np.float32(number)
    return int(np.copysign(1, single)) * int(abs(single).view(np.int32))


def _float32(rank: int) -> np.float32:
    return np.float32(
        np.copysign(np.int32(abs(rank)).view(np.float32), np.float32(rank))
    )


def expand_channel(
    settings: Mapping[str, Any], slices: Slices | None, ground: float, up: int
) -> list[Channel]:
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
    statistic = find_statistic(settings["statistic"])
    _check(settings, statistic, len(slices.lows) if slices else 0)
    name, wanted = settings["name"], settings.get("slice")
    names: dict[str, int | None] = {name: wanted}
    if slices and wanted == "each":
        names = {f"{name}_{k}": k for k in range(len(slices.lows))}
    return [
        Channel(
            name,
            statistic.name,
            k,
            *_scale(settings, slices, k, ground, up),
        )._replace(
            of=settings.get("of"),
            values=tuple(map(float, settings.get("values", ()))),
            unit=_unit(settings, statistic),
        )
        for name, k in names.items()
    ]


def _unit(settings: Mapping[str, Any], statistic: Statistic) -> str:
    default = statistic.unit or _UNITS.get(settings.get("of", ""), "")
    return str(settings.get("unit", default))


def _check(settings: Mapping[str, Any], statistic: Statistic, slices: int) -> None:
    """Reject settings that do not fit together."""
    _check_field(settings, statistic)
    name, limits = statistic.name, settings.get("range")
    scales = [key for key in ("range", "log") if key in settings]
    if not statistic.scales:
        if scales:
            raise ValueError(f"{scales[0]} of {name}, expected neither range nor log")
    elif len(scales) != 1:
        raise ValueError(
            f"{' and '.join(scales) or 'no range nor log'}, expected one of the two"
        )
    if "log" in scales and "log" not in statistic.scales:
        counts = [entry.name for entry in STATISTICS.values() if "log" in entry.scales]
        raise ValueError(f"log of {name}, expected {' or '.join(counts)}")
    wanted = settings.get("slice")
    if wanted is not None and not slices:
        raise ValueError(f"slice {wanted}, expected slices: to say where they are")
    if wanted not in (None, "each", *range(slices)):
        raise ValueError(f"slice {wanted}, expected 0 to {slices - 1}")
    if limits == "slice" and (wanted is None or "slice" not in statistic.scales):
        raise ValueError("range slice, expected a height of a slice")
    if isinstance(limits, list) and not limits[0] < limits[1]:
        raise ValueError(f"range {limits}, expected the lower number first")


def _check_field(settings: Mapping[str, Any], statistic: Statistic) -> None:
    """Reject a field, values and a unit that do not fit the statistic."""
    name, entries = statistic.name, STATISTICS.values()
    if "of" not in settings:
        if statistic.field == "required":
            raise ValueError(
                f"{name} without of, expected of: a field of the points, such as "
                f"intensity"
            )
        for key, words in (("values", "they are"), ("unit", "it is")):
            if key in settings:
                raise ValueError(f"{key} without of, expected of: the field {words} of")
    elif not statistic.field:
        names = [entry.name for entry in entries if entry.field]
        raise ValueError(
            f"{name} of {settings['of']}, expected a statistic of a field: "
            f"{', '.join(names)}"
        )
    elif statistic.takes_values != ("values" in settings):
        names = [entry.name for entry in entries if entry.takes_values]
        raise ValueError(
            f"values of {name}, expected them with {' and '.join(names)} alone"
            if "values" in settings
            else f"{name} of {settings['of']}, expected values: a list of its values"
        )
    elif statistic.unit and "unit" in settings:
        raise ValueError(f"unit of {name}, expected none: it is in {statistic.unit}")


def _scale(
    settings: Mapping[str, Any],
    slices: Slices | None,
    slice_index: int | None,
    ground: float,
    up: int,
) -> tuple[str] | tuple[str, float, float] | tuple[str, float, float, int]:
    """Return the scale of a channel, and its low and span or its base."""
    if "log" in settings:
        return "log", 0.0, 0.0, settings["log"]
    limits = settings.get("range", [0, 1])  # an occupancy is a count over 1
    if limits == "scan":
        return ("scan",)
    if limits == "slice" and slices and slice_index is not None:
        low, span = slices.lows[slice_index] - ground, slices.spans[slice_index]
        return "linear", low if up > 0 else -(low + span), span
    low, high = map(float, limits)
    return "linear", low, high - low
