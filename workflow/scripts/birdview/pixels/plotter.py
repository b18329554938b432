"""Draw the points of scans, the way an encoding says."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.pixels.channel import OWN_FIELDS, Channel
from birdview.pixels.drawing import Drawing, samples_of
from birdview.pixels.encoding import Encoding
from birdview.pixels.grid import Axis
from birdview.pixels.kernels import (
    FIELD_CODES,
    FIRST_REQUEST,
    SCALE_CODES,
    STATISTIC_CODES,
    AxisParams,
    Heights,
    Real,
    Region,
    Requests,
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
        self._name, self._fields = encoding.name, encoding.fields
        self._region = _region(encoding)
        self._heights = _heights(encoding, of_slices=False)
        self._slice_heights = _heights(encoding, of_slices=True)
        self._requests = _requests(encoding, of_slices=False)
        self._slice_requests = _requests(encoding, of_slices=True)
        self._slice_starts, self._scales = _slice_starts(encoding), _scales(encoding)

    def draw(
        self,
        points: NDArray[np.float32],
        fields: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> tuple[Drawing, Counts, float]:
        """Draw the points of a scan.

        Parameters
        ----------
        points : ndarray of float32, shape (N, 4)
            x, y, z in metres and intensity, in the order of the file.
        fields : mapping of str to ndarray of float32, shape (N,), optional
            Other fields of the points, at least those that the encoding needs; NaN
            where a point has no value.

        Returns
        -------
        drawing : Drawing
        counts : Counts
        scale_share : float
            As `birdview.pixels.figures.Figures` has it.

        Raises
        ------
        ValueError
            If a field that the encoding needs is missing or has another length; the
            message names it.
        """
        columns = self._columns(len(points), fields or {})
        pixels, shades, cells, nonfinite, outside, outside_height, scale_share = draw(
            points.reshape(-1),
            columns,
            self._region,
            self._heights,
            self._slice_heights,
            self._slice_starts,
            self._requests,
            self._slice_requests,
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

    def _columns(
        self, count: int, fields: Mapping[str, NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return the fields that the encoding needs, shape (fields, points)."""
        columns = np.empty((len(self._fields), count), dtype=np.float32)
        wrong = []
        for column, name in zip(columns, self._fields, strict=True):
            if name not in fields:
                wrong.append(f"{name} missing")
            elif fields[name].shape != (count,):
                wrong.append(f"{name} of shape {fields[name].shape}")
            else:
                column[:] = fields[name]
        if wrong:
            raise ValueError(
                f"fields of the points: {', '.join(wrong)}, expected one of shape "
                f"({count},) for each that encoding {self._name} needs: "
                f"{', '.join(self._fields)}"
            )
        return columns


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
        for channel in _channels(encoding, of_slices)
        if channel.of is None
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


def _channels(encoding: Encoding, of_slices: bool) -> list[Channel]:
    return [c for c in encoding.channels if (c.slice_index is not None) == of_slices]


def _wishes(channels: Sequence[Channel]) -> list[tuple[str, str, tuple[float, ...]]]:
    """Return the statistics of fields that channels show, each of them once."""
    wishes = [(c.statistic, c.of, c.values) for c in channels if c.of is not None]
    return [*dict.fromkeys(wishes)]


def _requests(encoding: Encoding, of_slices: bool) -> Requests:
    wishes = _wishes(_channels(encoding, of_slices))
    fields = [*OWN_FIELDS, *encoding.fields]
    values = [value for _, _, some in wishes for value in some]
    ends = accumulate((len(some) for _, _, some in wishes), initial=0)
    return Requests(
        codes=np.array([FIELD_CODES[name] for name, _, _ in wishes], dtype=np.int64),
        fields=np.array([fields.index(of) for _, of, _ in wishes], dtype=np.int64),
        ends=np.array([*ends]),
        values=np.array(values, dtype=np.float32),
    )


def _statistic_code(channel: Channel, encoding: Encoding) -> int:
    if channel.of is None:
        return STATISTIC_CODES[channel.statistic]
    wishes = _wishes(_channels(encoding, channel.slice_index is not None))
    wish = channel.statistic, channel.of, channel.values
    return FIRST_REQUEST + wishes.index(wish)


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
            [_statistic_code(channel, encoding) for channel in channels]
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
