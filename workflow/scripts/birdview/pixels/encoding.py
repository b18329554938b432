"""Encodings: how points become pixels, as a yaml file says."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview import paths
from birdview.files import PathLike
from birdview.pixels.channel import (
    OWN_FIELDS,
    Channel,
    Slices,
    expand_channel,
    slice_region,
)
from birdview.pixels.grid import Axis, Grid, Interval
from birdview.pixels.png import MAX_PIXELS, MAX_SIDE
from birdview.pixels.schema import load_yaml


class Encoding(NamedTuple):
    """How points become pixels. Hashable; equal if all numbers are equal.

    Attributes
    ----------
    name : str
        The name of its file, without the suffix.
    grid : Grid
        Where each pixel is on the ground.
    x, y, z : Interval
        The region that is drawn.
    up : int
        1 if heights grow with z, -1 if they grow downwards.
    ground : float
        The z of height 0, in metres.
    slices : Slices or None
        What channels may show in place of whole cells.
    channels : tuple of Channel
        The planes, in the order of the PNG file.
    arithmetic : str
        The NumPy type of coordinates, sums and shares: see the schema.
    precision : str
        The NumPy type of the scaled values before they are rounded.
    rounding : str
        How they are: ``half_even`` or ``truncate``.
    background : int
        The shade of pixels that no point is in, 0 to 255, in all planes.
    """

    name: str
    grid: Grid
    x: Interval
    y: Interval
    z: Interval
    up: int
    ground: float
    slices: Slices | None
    channels: tuple[Channel, ...]
    arithmetic: str
    precision: str
    rounding: str
    background: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """The image's (rows, cols, channels)."""
        return *self.grid.shape, len(self.channels)

    @property
    def bounds(self) -> NDArray[np.float32]:
        """The least and the greatest x, y and z of points that are drawn, (2, 3)."""
        intervals, slices = (self.x, self.y, self.z), self.slices
        ends = [interval.closed_ends(self.arithmetic) for interval in intervals]
        low, high = np.array(ends, dtype=np.float32).T
        if slices and slices.reaches_top and slices.starts[-1] <= high[2]:
            # Rounding puts what is just below an open end beyond the last slice.
            high[2] = np.nextafter(np.float32(slices.starts[-1]), np.float32(-np.inf))
        return np.stack([low, high])

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that points need beside their own, in order of first use."""
        fields = dict.fromkeys(channel.of for channel in self.channels)
        return tuple(name for name in fields if name and name not in OWN_FIELDS)

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that decides pixels, without name and comments."""
        return _digest(self)


@cache
def _digest(encoding: Encoding) -> str:
    settings = {
        **encoding._replace(name="")._asdict(),
        "channels": [_numbers(channel) for channel in encoding.channels],
    }
    numbers = [*settings.values()]
    if encoding.background == 0:
        numbers.pop()  # manifests and images of 0.1 have no such number
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()


def _numbers(channel: Channel) -> list[Any]:
    """Return what decides the pixels of a channel."""
    *numbers, of, values, _ = channel
    # Manifests and images of 0.1 have no field.
    return numbers if of is None else [*numbers, of, values]


def load_encoding(name: PathLike) -> Encoding:
    """Load a built-in encoding by its name, or any other by the path of its yaml file.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no built-in encoding of this name.
    ValueError
        If the file does not fit the schema, or its numbers do not fit together; the
        message names the file and the key.
    """
    path, settings = load_yaml(name, "encoding", paths.ENCODINGS)
    with _prefix_errors(path):
        return _encoding(path.stem, settings)


def _encoding(name: str, settings: Mapping[str, Any]) -> Encoding:
    region, grid, arithmetic = (
        settings[key] for key in ("region", "grid", "arithmetic")
    )
    intervals = {axis: _interval(axis, region[axis]) for axis in "xyz"}
    rows, cols = grid["rows"], grid["cols"]
    if rows[-1] == cols[-1]:
        raise ValueError(f"grid: rows {rows} and cols {cols}, expected x and y")
    up, ground = (1 if settings["height"] == "z" else -1), float(settings["ground"])
    slices = None
    if "slices" in settings:
        with _prefix_errors("slices"):
            slices = slice_region(settings["slices"], intervals["z"], arithmetic)
    channels = []
    for channel in settings["channels"]:
        with _prefix_errors(f"channels: {channel['name']}"):
            channels += expand_channel(channel, slices, ground, up)
    names = [channel.name for channel in channels]
    if twice := {channel for channel in names if names.count(channel) > 1}:
        raise ValueError(
            f"channels: two are called {min(twice)}, expected different names"
        )
    encoding = Encoding(
        name=name,
        grid=Grid(
            rows=_axis(rows, intervals, grid, arithmetic),
            cols=_axis(cols, intervals, grid, arithmetic),
        ),
        x=intervals["x"],
        y=intervals["y"],
        z=intervals["z"],
        up=up,
        ground=ground,
        slices=slices,
        channels=tuple(channels),
        **{
            key: settings[key]
            for key in ("arithmetic", "precision", "rounding", "background")
        },
    )
    _check_size(encoding)
    return encoding


@contextmanager
def _prefix_errors(key: PathLike) -> Iterator[None]:
    """Prefix an error with the key or the file it belongs to."""
    try:
        yield
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{key}: {error}") from None


def _interval(axis: str, extent: Mapping[str, Any]) -> Interval:
    low, high = float(extent.get("min", -inf)), float(extent.get("max", inf))
    if not low < high:
        raise ValueError(
            f"region: {axis}: min {low:g} and max {high:g}, expected min < max"
        )
    closed = extent["closed"]
    return Interval(low, high, closed in ("lower", "both"), closed in ("upper", "both"))


def _axis(
    direction: str,
    intervals: Mapping[str, Interval],
    grid: Mapping[str, Any],
    arithmetic: str,
) -> Axis:
    name, lengths = direction[-1], grid["cell"]
    cell = _length(lengths[name] if isinstance(lengths, dict) else lengths)
    low, high, has_min, has_max = intervals[name]
    origin = float(grid.get("origin", low))
    first, size = (low - origin) / cell, (high - low) / cell
    for cells, ends in (size, "min to max"), (first, "origin to min"):
        if abs(cells - round(cells)) > 1e-6:
            raise ValueError(
                f"region: {name}: {abs(cells):g} cells of {cell:g} m from {ends}, "
                f"expected a whole number"
            )
    return Axis(
        column="xy".index(name),
        origin=origin,
        cell=cell,
        first=round(first),
        size=round(size),
        ascending=not direction.startswith("-"),
        upper=has_max and not has_min,
        arithmetic=arithmetic,
    )


def _length(cell: str | float) -> float:
    try:
        if isinstance(cell, str):
            numerator, denominator = map(float, cell.split("/"))
            metres = numerator / denominator
        else:
            metres = float(cell)
        if 0 < metres < inf:
            return metres
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError(
        f"grid: cell: {cell}, expected metres, or a fraction such as 50/608"
    )


def _check_size(encoding: Encoding) -> None:
    rows, cols, planes = encoding.shape
    slices = len(encoding.slices.lows) if encoding.slices else 1
    height = rows if planes == 3 else rows * planes
    if max(height, cols) > MAX_SIDE or rows * cols * max(planes, slices) > MAX_PIXELS:
        raise ValueError(
            f"grid: {planes} planes of {rows} x {cols} pixels, expected an image of at "
            f"most {MAX_SIDE} pixels each way and {MAX_PIXELS} in all"
        )
