"""Draw the points of scans, the way an encoding says."""

from decimal import Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.pixels.drawing import Drawing, samples_of
from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Axis
from birdview.pixels.kernels import (
    SCALE_CODES,
    STATISTIC_CODES,
    AxisParams,
    Heights,
    Real,
    Region,
    Scales,
    draw,
)
from birdview.pixels.statistic import STATISTICS


class Plotter:
    """Draws scans with an encoding, without planes.

    It keeps what the encoding says, and nothing of the scans.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._shape, self._background = encoding.shape, encoding.background
        self._region = _region(encoding)
        self._heights = _heights(encoding, of_slices=False)
        self._slice_heights = _heights(encoding, of_slices=True)
        self._slice_starts, self._scales = _slice_starts(encoding), _scales(encoding)

    def draw(self, points: NDArray[np.float32]) -> tuple[Drawing, Counts, float]:
        """Draw the points of a scan.

        Parameters
        ----------
        points : ndarray of float32, shape (N, 4)
            x, y, z in metres and intensity, in the order of the file.

        Returns
        -------
        drawing : Drawing
        counts : Counts
        scale_share : float
            As `birdview.pixels.figures.Figures` has it.
        """
        pixels, shades, cells, nonfinite, outside, outside_height, scale_share = draw(
            points.reshape(-1),
            self._region,
            self._heights,
            self._slice_heights,
            self._slice_starts,
            self._scales,
            samples_of(self._shape),
            self._background,
        )
        counts = Counts(
            read=len(points),
            nonfinite=nonfinite,
            outside=outside,
            outside_height=outside_height,
            drawn=len(points) - nonfinite - outside,
            cells=cells,
        )
        return (
            Drawing(self._shape, self._background, pixels, shades),
            counts,
            scale_share,
        )


def _real(encoding: Encoding) -> type[Real]:
    return np.float32 if encoding.arithmetic == "float32" else np.float64


def _region(encoding: Encoding) -> Region:
    real = _real(encoding)
    rows, cols = (_axis_params(axis, real) for axis in encoding.grid)
    low, high = encoding.bounds
    return Region(low, high, rows, cols)


def _axis_params(axis: Axis, real: type[Real]) -> AxisParams:
    # An axis with closed upper ends is one with closed lower ends, seen from behind.
    mirror = -1 if axis.upper else 1
    turn = 1 if axis.ascending else -1
    start = -turn * (axis.first + axis.upper) + (not axis.ascending) * (axis.size - 1)
    return AxisParams(
        along_x=axis.column == 0,
        origin=real(axis.origin),
        cell=real(axis.cell),
        mirror=real(mirror),
        direction=real(turn * mirror),
        start=real(start),
        size=axis.size,
    )


def _heights(encoding: Encoding, of_slices: bool) -> Heights:
    real = _real(encoding)
    statistics = [
        STATISTICS[channel.statistic]
        for channel in encoding.channels
        if (channel.slice_index is not None) == of_slices
    ]
    return Heights(
        up=real(encoding.up),
        ground=real(encoding.ground),
        needs_heights=any(
            STATISTIC_CODES[entry.name] != STATISTIC_CODES["count"]
            for entry in statistics
        ),
        needs_second_pass=any(entry.second_pass for entry in statistics),
    )


def _slice_starts(encoding: Encoding) -> NDArray[np.float32]:
    starts = encoding.slices.starts if encoding.slices else ()
    return np.array(starts, dtype=np.float32)


def _scales(encoding: Encoding) -> Scales:
    channels, real = encoding.channels, _real(encoding)
    tables = np.full((len(channels), max(1, *(c.base for c in channels))), 255.0)
    for table, channel in zip(tables, channels, strict=True):
        if channel.base:
            table[: channel.base] = 255 * _log_shares(channel.base)
    return Scales(
        statistics=np.array(
            [STATISTIC_CODES[channel.statistic] for channel in channels]
        ),
        codes=np.array([SCALE_CODES[channel.scale] for channel in channels]),
        lows=np.array([channel.low for channel in channels], dtype=real),
        spans=np.array([channel.span for channel in channels], dtype=real),
        log_tables=tables,
        slices=np.array(
            [-1 if c.slice_index is None else c.slice_index for c in channels]
        ),
        through_float32=encoding.precision == "float32",
        truncates=encoding.rounding == "truncate",
    )


@cache
def _log_shares(base: int) -> NDArray[np.float64]:
    """Return ln(n + 1) / ln(base) for n = 0 .. base - 1.

    Machines differ in the last bit of a logarithm, and for n = 1, 7 and 31 of base 64
    it decides: 255 times the share ends in a half. Those of Decimal never differ.
    """
    logs = np.array([float(Decimal(n + 1).ln()) for n in range(base)])
    return np.asarray(logs / logs[-1])
