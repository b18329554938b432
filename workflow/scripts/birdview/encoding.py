"""Encodings: yaml becomes a grid and the channels that are drawn on it."""

import hashlib
import json
import re
from contextlib import contextmanager
from functools import cache
from math import inf
from pathlib import Path
from typing import NamedTuple

import yaml

from birdview.channel import Channel, Slices, expand_channel, slice_region
from birdview.grid import Axis, Grid
from birdview.schema import conform

ENCODINGS = Path(__file__).parents[2] / "encodings"

RESERVED = (
    "benchmark",
    "contact_sheet",
    "demo",
    "gallery",
    "logs",
    "movie",
    "parts",
    "refused",
    "verify",
)
"""Folders in results/ that are none of an encoding's."""

LONGEST, MOST = 2**20, 2**30
"""Pixels. OpenCV reads no larger image, and each thread holds one in memory."""


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
        1 if heights grow with z, -1 if they grow downwards.
    ground : float
        The z of height 0, in metres.
    slices : Slices or None
        The parts of cells that channels may be of.
    channels : tuple of Channel
        The planes, in the order of the PNG file.
    arithmetic : str
        The NumPy type of coordinates, sums and shares: see the schema.
    precision : str
        The NumPy type of the scaled values before they are rounded.
    rounding : str
        How they are: ``half_even`` or ``truncate``.
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


def is_path(name):
    """Tell whether an encoding is given by its path, and not by its shipped name."""
    return Path(name).suffix in (".yaml", ".yml")


def load_encoding(name):
    """Load an encoding that is shipped, by name, or any other, by the path of its yaml.

    Raises
    ------
    FileNotFoundError
        If there is no such file; or no such name, and the message lists those that are
        shipped.
    ValueError
        If the yaml does not conform to the schema, or its numbers do not fit each
        other; the message names the file and the key.
    """
    path = Path(name) if is_path(name) else ENCODINGS / f"{name}.yaml"
    if is_path(name) and not path.is_file():
        raise FileNotFoundError(f"{path}: no such file, expected that of an encoding")
    if not (is_path(name) or (path.is_file() and path.stem == name)):
        shipped = ", ".join(sorted(file.stem for file in ENCODINGS.glob("*.yaml")))
        raise FileNotFoundError(
            f"unknown encoding {name}: shipped are {shipped}; any other is the path of "
            f"its .yaml file"
        )
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    settings = conform(settings, "encoding", path)
    with _named(path):
        return _encoding(path.stem, settings)


def load_encodings(names):
    """Load several encodings, by their names, which are those of their folders too.

    Returns
    -------
    dict of str to Encoding

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_encoding`, and if two have the same name, or one that is no folder's.
    """
    encodings = {}
    for name in names:
        encoding = load_encoding(name)
        if not re.fullmatch(r"\w[\w-]*", encoding.name, re.ASCII):
            raise ValueError(
                f"{name}: the file's name is that of the results, expected letters, "
                f"digits, _ and -"
            )
        if encoding.name in RESERVED:
            raise ValueError(
                f"{name}: results/{encoding.name} is taken, expected another name than "
                f"{', '.join(RESERVED)}"
            )
        if encoding.name in encodings:
            raise ValueError(
                f"{name}: two encodings {encoding.name}, expected different names"
            )
        encodings[encoding.name] = encoding
    return encodings


def _encoding(name, settings):
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
        with _named("slices"):
            slices = slice_region(settings["slices"], intervals["z"], arithmetic)
    channels = []
    for channel in settings["channels"]:
        with _named(f"channels: {channel['name']}"):
            channels += expand_channel(channel, slices, ground, up)
    names = [channel.name for channel in channels]
    if twice := {channel for channel in names if names.count(channel) > 1}:
        raise ValueError(f"channels: two are {min(twice)}, expected different names")
    encoding = Encoding(
        name=name,
        grid=Grid(
            rows=_axis(rows, intervals, grid, arithmetic),
            cols=_axis(cols, intervals, grid, arithmetic),
        ),
        **intervals,
        up=up,
        ground=ground,
        slices=slices,
        channels=tuple(channels),
        **{key: settings[key] for key in ("arithmetic", "precision", "rounding")},
    )
    _check_size(encoding)
    return encoding


@contextmanager
def _named(place):
    """Say of an error in what place it is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _interval(axis, extent):
    low, high = float(extent.get("min", -inf)), float(extent.get("max", inf))
    if not low < high:
        raise ValueError(
            f"region: {axis}: min {low:g} and max {high:g}, expected min < max"
        )
    closed = extent["closed"]
    return Interval(low, high, closed in ("lower", "both"), closed in ("upper", "both"))


def _axis(direction, intervals, grid, arithmetic):
    name, cell = direction[-1], grid["cell"]
    cell = _length(cell[name] if isinstance(cell, dict) else cell)
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


def _length(cell):
    try:
        if isinstance(cell, str):
            numerator, denominator = map(float, cell.split("/"))
            cell = numerator / denominator
        if 0 < cell < inf:
            return float(cell)
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError(f"grid: cell: {cell}, expected metres, or a fraction as 50/608")


def _check_size(encoding):
    rows, cols, planes = encoding.shape
    parts = len(encoding.slices.lows) if encoding.slices else 1
    height = rows if planes == 3 else rows * planes
    if max(height, cols) > LONGEST or rows * cols * max(planes, parts) > MOST:
        raise ValueError(
            f"grid: {planes} planes of {rows} x {cols} pixels, expected an image of at "
            f"most {LONGEST} pixels each way and {MOST} in all"
        )
