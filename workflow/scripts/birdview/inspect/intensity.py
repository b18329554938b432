"""Find the intensity among the numbers of a record, and its scale."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.fit import MIN_BRIGHTNESS, find_colour

_FULL_SCALES = 1.0, 100.0, 255.0, 4095.0, 65535.0
"""What intensities are divided by: the least that none is above."""
_SLACK = 1.002
_HUNDRED = 90.0  # a scale of 100 has values above that
_DECIBELS = -150.0, 100.0
_STEP = 10.0  # limits in decibels are multiples of it
_RING = 255


class Scale(NamedTuple):
    """What makes 0 to 1 of a number: it is divided, and `offset` is added.

    Attributes
    ----------
    divisor, offset : float
    clip : bool
        Whether some numbers are above 1 then.
    """

    divisor: float = 1.0
    offset: float = 0.0
    clip: bool = False

    def __str__(self) -> str:
        """Return it as it is written behind the type of a field."""
        return (f"/{self.divisor:g}" if self.divisor != 1 else "") + (
            f"{self.offset:+g}" if self.offset else ""
        )


def suggest_scale(values: NDArray[np.float64]) -> Scale | None:
    """Suggest a scale; None if the numbers are all 0, or no intensities.

    Parameters
    ----------
    values : ndarray of float64, shape (N,)
        Of all scans that were read.
    """
    values = values[np.isfinite(values)]
    if not values.size or not values.any():
        return None
    low, high, greatest = np.percentile(values, [2, 99, 100])
    if low < 0:
        if not (_DECIBELS[0] < low and high < _DECIBELS[1]):
            return None
        bottom = float(np.floor(low / _STEP) * _STEP)
        divisor = max(_STEP, float(np.ceil(high / _STEP) * _STEP) - bottom)
        return Scale(divisor, round(-bottom / divisor, 6), clip=True)
    for divisor in _FULL_SCALES:
        if divisor == 100 and greatest < _HUNDRED:
            continue
        if greatest <= divisor * _SLACK and high >= MIN_BRIGHTNESS * divisor:
            return Scale(divisor, clip=bool(greatest > divisor))
        if greatest <= divisor * _SLACK:
            break
    return Scale(_round_up(high), clip=True) if high > 0 else None


def _round_up(value: float) -> float:
    """Return the next number with one digit."""
    unit = 10.0 ** np.floor(np.log10(value))
    # By a division, because the power of a negative number is not exact.
    digit = np.ceil(value / unit - 1e-9)
    return float(digit * unit if unit >= 1 else digit / round(1 / unit))


def find_intensity(columns: Sequence[NDArray[np.float64]]) -> int | None:
    """Return which of the numbers behind the coordinates is an intensity, from 0.

    It is the first that is neither constant nor a counter, a time, a ring or the red of
    a colour; None if there is none.
    """
    if find_colour(columns[:3]):
        return None
    likely = [
        number for number, values in enumerate(columns) if _may_be_intensity(values)
    ]
    return likely[0] if likely else None


def _may_be_intensity(values: NDArray[np.float64]) -> bool:
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return False
    steps = np.diff(values)
    if (steps >= 0).mean() > 0.98 or (steps <= 0).mean() > 0.98:
        return False  # a time
    if is_ring(values):
        return False
    return suggest_scale(values) is not None


def is_ring(values: NDArray[np.float64]) -> bool:
    """Whether numbers are those of lasers: whole and small, each as often as others."""
    if (values % 1).any() or values.min() < 0 or values.max() > _RING:
        return False
    counts = np.bincount(values.astype(np.int64))
    counts = np.sort(counts[counts > 0])
    regular = np.diff(np.unique(values)).max(initial=0) == 1
    return bool(
        regular and len(counts) > 3 and counts[len(counts) // 2] * 4 > counts[-1]
    )
