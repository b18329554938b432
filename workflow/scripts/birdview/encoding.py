"""Encodings: yaml becomes a grid and the channels that are drawn on it."""

import hashlib
import json
from functools import cache
from math import inf
from pathlib import Path
from typing import NamedTuple

import yaml

from birdview.grid import Axis, Grid
from birdview.schema import conform

ENCODINGS = Path(__file__).parents[2] / "encodings"


class Channel(NamedTuple):
    """One plane of the image: a statistic of each cell, scaled to 0..255.

    Exactly one of `range` and `log` is given; see the schema for what they mean.
    """

    name: str
    statistic: str
    range: tuple[float, float] | str | None
    log: int | None


class Interval(NamedTuple):
    """An interval of metres, with or without its ends."""

    min: float
    max: float
    has_min: bool
    has_max: bool


class Encoding(NamedTuple):
    """How points become pixels. Hashable; equal if all numbers are.

    Attributes
    ----------
    name : str
        The name of its file, without the suffix.
    grid : Grid
        Where each pixel is on the ground.
    x, y, z : Interval
        The space that is drawn.
    up : int
        1 if the top of a cell is its greatest z, -1 if its least.
    channels : tuple of Channel
        The planes, in the order of the PNG file.
    precision : str
        The NumPy type of the scaled values before they are rounded.
    """

    name: str
    grid: Grid
    x: Interval
    y: Interval
    z: Interval
    up: int
    channels: tuple[Channel, ...]
    precision: str

    @property
    def shape(self):
        """The image's (rows, cols, channels)."""
        return *self.grid.shape, len(self.channels)

    @property
    def digest(self):
        """The SHA-256 of all that decides pixels: not of the name, nor of comments."""
        return _digest(self)


@cache
def _digest(encoding):
    numbers = json.dumps(encoding._replace(name=""))
    return hashlib.sha256(numbers.encode()).hexdigest()


def load_encoding(name):
    """Load an encoding that is shipped, by name, or any other, by the path of its yaml.

    Raises
    ------
    FileNotFoundError
        If there is no such encoding; the message lists those that are shipped.
    ValueError
        If the yaml does not conform to the schema, or its numbers do not fit each
        other; the message names the file and the key.
    """
    path = ENCODINGS / f"{name}.yaml" if Path(name).suffix != ".yaml" else Path(name)
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in ENCODINGS.glob("*.yaml")))
        raise FileNotFoundError(f"unknown encoding {name}: shipped are {shipped}")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    settings = conform(settings, "encoding", path)
    region, grid = settings["region"], settings["grid"]
    intervals = {axis: _interval(region[axis], axis, path) for axis in "xyz"}
    rows, cols = grid["rows"], grid["cols"]
    if rows[-1] == cols[-1]:
        raise ValueError(f"{path}: grid: rows {rows} and cols {cols}, expected x and y")
    return Encoding(
        name=path.stem,
        grid=Grid(
            rows=_axis(rows, intervals, grid, path),
            cols=_axis(cols, intervals, grid, path),
        ),
        **intervals,
        up=1 if settings["height"] == "z" else -1,
        channels=tuple(_channel(channel, path) for channel in settings["channels"]),
        precision=settings["precision"],
    )


def _interval(extent, axis, path):
    low, high = float(extent.get("min", -inf)), float(extent.get("max", inf))
    if not low < high:
        raise ValueError(
            f"{path}: region: {axis}: min {low:g} and max {high:g}, expected min < max"
        )
    closed = extent["closed"]
    return Interval(low, high, closed in ("lower", "both"), closed in ("upper", "both"))


def _axis(direction, intervals, grid, path):
    name, cell = direction[-1], float(grid["cell"])
    low, high, _, has_max = intervals[name]
    origin = float(grid.get("origin", low))
    first, size = (low - origin) / cell, (high - low) / cell
    for cells, ends in (size, "min to max"), (first, "origin to min"):
        if abs(cells - round(cells)) > 1e-6:
            raise ValueError(
                f"{path}: region: {name}: {abs(cells):g} cells of {cell:g} m from "
                f"{ends}, expected a whole number"
            )
    return Axis(
        column="xy".index(name),
        origin=origin,
        cell=cell,
        first=round(first),
        size=round(size),
        ascending=not direction.startswith("-"),
        upper=has_max,
    )


def _channel(channel, path):
    limits = channel.get("range")
    if isinstance(limits, list):
        limits = tuple(map(float, limits))
        if not limits[0] < limits[1]:
            raise ValueError(
                f"{path}: channels: {channel['name']}: range {channel['range']}, "
                f"expected the lower number first"
            )
    if "log" in channel and channel["statistic"] not in ("count", "records"):
        raise ValueError(
            f"{path}: channels: {channel['name']}: log of {channel['statistic']}, "
            f"expected count or records"
        )
    return Channel(channel["name"], channel["statistic"], limits, channel.get("log"))
