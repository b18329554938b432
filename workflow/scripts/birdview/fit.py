"""Judge which layouts fit the bytes of a file: its size, and the numbers in it."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from birdview import paths
from birdview.files import PathLike
from birdview.pixels.field import Field
from birdview.pixels.frame import HEIGHT
from birdview.pixels.layout import RECORDS, Layout, load_layout

PLAIN = "kitti"
"""The built-in layout that says least: the first of those that fit equally well."""
MAX_DISTANCE = 1000.0
"""Metres. Points beyond are rare in a scan that is read as it should be."""
MIN_DISTANCE = 0.5
"""Metres. A scan whose points are all nearer has another unit, such as kilometres."""
MIN_BRIGHTNESS = 0.03
"""Darker is a plane of an image that is black. In real scans that are read as they
should be, the 99th percentile of the intensity is at least 0.1."""

UP_OR_DOWN = " up?", " down?"
"""How problems end that say that z is not up."""

_LARGE = 1 << 24  # bytes
_BLOCKS, _BLOCK = 16, 128  # records in a row keep their neighbours
_RARE, _OFTEN = 0.01, 0.2
"""Shares: what any scan may have, and what is no chance."""
_MIN_POINTS = 5
_TINY = 1e-6  # metres
_NEAREST = 60.0
"""Metres. A scan has more points nearer than that, a grid of a map may not."""
_NARROW = 0.7
"""The points around a sensor are at all distances, and not from this share on."""
_LONG = 15.0  # metres
_SCALES = 100, 1000, 0.001  # of centimetres, millimetres and kilometres
_GOOD = 0.5
_BAD = 0.15  # what a problem leaves of a score
_BIN = 0.2  # metres, of heights
_NEAR, _MIN_NEAR = (3.0, 25.0), 20
_FLAT = 0.22
"""The least share of the points near the sensor that a road has within `_BIN`."""
_ALMOST = 0.75  # of the most points at one height: a wall may have more than a road
_INCOHERENT = 0.1
_INTEGERS, _MAX_INTEGER = {"ring", "laser", "line", "tag"}, 255
_VELOCITIES = {"velocity", "radial_velocity", "compensated_velocity"}
_MAX_VELOCITY = 120.0
_COLOURS = 255
_STEP = 24
_HEADER = 8  # records that may be one

Values: TypeAlias = NDArray[np.float64]


class Fit(NamedTuple):
    """How well a layout fits a file.

    Attributes
    ----------
    layout : Layout
    score : float
        From 0, not at all, to 1.
    problem : str
        Why it does not fit, in a few words with figures; empty if it does.
    """

    layout: Layout
    score: float
    problem: str

    @property
    def is_good(self) -> bool:
        """Whether the layout fits well enough to be named."""
        return self.score > _GOOD and not self.problem


@cache
def built_in_layouts(kind: str = RECORDS) -> tuple[Layout, ...]:
    """Return the built-in layouts of a format, the plainest first, the others by name.

    That of records is KITTI's; that of another format has its name.
    """
    plain = PLAIN if kind == RECORDS else kind
    some = [layout for layout in _load_all() if layout.format == kind]
    return tuple(sorted(some, key=lambda layout: layout.name != plain))


def is_built_in(layout: Layout) -> bool:
    """Whether a layout has the name and the frame of a built-in one of any format."""
    known = [(one.name, one.frame) for one in _load_all()]
    return (layout.name, layout.frame) in known


@cache
def _load_all() -> tuple[Layout, ...]:
    names = sorted(path.stem for path in paths.LAYOUTS.glob("*.yaml"))
    return tuple(map(load_layout, names))


def names_that_fit(data: NDArray[np.uint8]) -> list[str]:
    """Return the names of the built-in layouts that fit a file, best first."""
    return [fit.layout.name for fit in fit_layouts(data) if fit.is_good]


def fit_layouts(
    data: NDArray[np.uint8], layouts: Sequence[Layout] | None = None
) -> list[Fit]:
    """Judge how well layouts fit a file, by some thousand of its records.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    layouts : sequence of Layout, optional
        The built-in ones, unless given. Of two that fit equally well, the first is
        better.

    Returns
    -------
    list of Fit
        Best first.
    """
    if layouts is None:
        layouts = built_in_layouts()
    read = cache(lambda records: _read(data, records))
    with np.errstate(all="ignore"):  # any bytes may be numbers out of range
        fits = [_fit(data.size, layout, read) for layout in layouts]
    return sorted(fits, key=lambda fit: -round(fit.score, 2))


class _Records(NamedTuple):
    """Some records of a file, and what all layouts of such records share.

    Attributes
    ----------
    values : list of ndarray of float64
        One for each field, with its scale if it is a coordinate.
    is_return : ndarray of bool
        Whether the coordinates of a record are finite, and not all 0.
    closeness : float
        See `measure_closeness`.
    repeated : float
        See `share_repeated`.
    problem : str
        Why the coordinates are not those of a scan.
    """

    values: list[Values]
    is_return: NDArray[np.bool_]
    closeness: float
    repeated: float
    problem: str


def _fit(size: int, layout: Layout, read: Callable[[Layout], _Records]) -> Fit:
    record, body = layout.record.itemsize, size - layout.skip
    if body <= 0 or body % record:
        after = f"{layout.skip} and " if layout.skip else ""
        return Fit(layout, 0.0, f"{size} bytes are not {after}a multiple of {record}")
    records = read(_without_axes(layout))
    if records.problem:
        return Fit(layout, 0.1, records.problem)
    score, problem = _judge_position(layout, records)
    *_, intensity = layout.columns
    if intensity is not None:
        field = layout.fields[intensity]
        bright, more = judge_intensity(
            field.convert(records.values[intensity][records.is_return]), layout.clip
        )
        score *= bright
        colour = find_colour(records.values[intensity:][:3])
        problem = colour or problem or more
    problem = problem or _judge_others(layout, records)
    if (records.repeated > _OFTEN) != layout.choice.drops_duplicates:
        score *= 0.8
    return Fit(layout, score * _BAD if problem else score, problem)


def _without_axes(layout: Layout) -> Layout:
    """Return what layouts of the same records share: x and y, and signs, may differ."""
    names = {"x": "x", "y": "x", "z": "z"}
    fields = [
        field._replace(name=names[field.name], sign=1)
        if field.name in names
        else Field("", field.type)
        for field in layout.fields
    ]
    return Layout("", tuple(fields), ".bin", layout.skip, layout.endian, layout.order)


def _read(data: NDArray[np.uint8], records: Layout) -> _Records:
    values = [
        field.convert(column)
        for field, column in zip(records.fields, sample(data, records), strict=True)
    ]
    position = np.stack(
        [
            *(values[n] for n, field in enumerate(records.fields) if field.name == "x"),
            *(values[n] for n, field in enumerate(records.fields) if field.name == "z"),
        ]
    )
    is_return = np.logical_and(np.isfinite(position).all(axis=0), position.any(axis=0))
    count = np.count_nonzero(is_return)
    if count < max(_MIN_POINTS, _RARE * is_return.size):
        problem = f"{count} of {is_return.size} points are returns"
        return _Records(values, is_return, 0.0, 0.0, problem)
    if problem := find_header(position) or find_other_records(position):
        return _Records(values, is_return, 0.0, 0.0, problem)
    position = position[:, is_return]
    return _Records(
        values,
        is_return,
        measure_closeness(position),
        share_repeated(position),
        find_impossible(position),
    )


def read_file(path: PathLike) -> NDArray[np.uint8]:
    """Return the bytes of a file, without reading those that nobody looks at.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if os.path.getsize(path) <= _LARGE:
        return np.fromfile(path, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r")


def sample(
    data: NDArray[np.uint8], layout: Layout, blocks: int = _BLOCKS, block: int = _BLOCK
) -> list[NDArray[Any]]:
    """Return each field of some records, in blocks that are spread over the file.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        Bytes that are no record, at the end, do not count.
    layout : Layout
    blocks, block : int
        The number of blocks, and of records in each; all records if there are no more.

    Returns
    -------
    list of ndarray
        As they are stored. Neighbours in a block are neighbours in the file.
    """
    body, record = data[layout.skip :], layout.record
    count = body.size // record.itemsize
    body = body[: count * record.itemsize]
    parts = _spread(count, blocks, block)
    if layout.order == "records":
        stored = body.view(record)
        chosen = np.concatenate([stored[part] for part in parts])
        return [chosen[name] for name in record.names or ()]
    columns, start = [], 0
    for number in range(len(layout.fields)):
        stop = start + count * record[number].itemsize
        column = body[start:stop].view(record[number])
        columns.append(np.concatenate([column[part] for part in parts]))
        start = stop
    return columns


def _spread(count: int, blocks: int, block: int) -> list[slice]:
    if count <= blocks * block:
        return [slice(0, count)]
    starts = np.linspace(0, count - block, blocks).astype(int)
    # Every second or third record of the file is that of the sample, too.
    return [slice(start, start + block) for start in starts - starts % _STEP]


def find_header(position: Values) -> str:
    """Return a problem if the first records, and they alone, are no points."""
    distances = np.abs(position)
    is_wrong = ~(distances < MAX_DISTANCE) | ((distances > 0) & (distances < _TINY))
    wrong = np.flatnonzero(is_wrong.any(axis=0))
    is_first = (wrong == np.arange(wrong.size)).all()
    if is_first and 0 < wrong.size <= _HEADER < position.shape[1] / 8:
        return f"{wrong.size} records at the start are no points: is it a header?"
    return ""


def find_other_records(position: Values) -> str:
    """Return a problem if every second or third record has no coordinates of its own.

    Then the right record has more bytes.
    """
    for step, ordinal in ((2, "second"), (3, "third")):
        parts = [position[:, start::step] for start in range(step)]
        if parts[-1].shape[1] < _MIN_POINTS * 8:
            break
        are_constant = [(np.ptp(part, axis=1) == 0).any() for part in parts]
        are_shares = [part.min() >= 0 and part.max() <= 1 for part in parts]
        for are_other in (are_constant, are_shares):
            if any(are_other) and not all(are_other):
                return (
                    f"every {ordinal} record is no point: are there more bytes in it?"
                )
    return ""


def find_impossible(position: Values) -> str:
    """Return why numbers are not the coordinates of a scan; empty if they may be.

    Parameters
    ----------
    position : ndarray of float64, shape (3, N)
        Finite, in metres, in the order of the file. Up is last, or minus up.
    """
    distances = np.abs(position)
    farthest = distances.max(axis=0)
    near, far = np.percentile(farthest, [10, 99])
    if near > _NARROW * far:
        return f"all points are {near:.3g} to {far:.3g} m away, as in a map"
    if _is_polar(position):
        return "x, y and z look like range, azimuth and elevation"
    beyond = np.mean(farthest > MAX_DISTANCE)
    if beyond > _RARE:
        return f"{beyond:.0%} of the points are beyond {MAX_DISTANCE:g} m"
    tiny = np.mean(((distances > 0) & (distances < _TINY)).any(axis=0))
    if tiny > _RARE:
        return f"{tiny:.0%} of the points have a coordinate below {_TINY:g} m"
    if far < MIN_DISTANCE:
        return f"99% of the points are within {far:.2g} m"
    if near > _NEAREST:
        return f"90% of the points are beyond {near:.3g} m"
    constant = position[np.ptp(position, axis=1) == 0]
    if constant.size:
        return f"a coordinate is {constant[0, 0]:g} everywhere"
    # A wrong number of bytes in a record makes each number a mixture of several fields.
    step = max(1, position.shape[1] // 20)
    first, second, up = np.sort(distances, axis=1)[:, ::step][:, 1:-1]
    for other in (first, second):
        if up.size and np.abs(up - other).max() < 0.12 * min(np.ptp(up), np.ptp(other)):
            return "z holds the same numbers as x or y"
    return ""


def _is_polar(position: Values) -> bool:
    """Whether two of the numbers are angles in radians: a street is not so narrow."""
    first, second, up = position
    for distance, azimuth in ((first, second), (second, first)):
        if distance.min() < 0:
            continue
        for scale in (1, *_SCALES):  # a record may be tried in another unit
            turn = np.abs(azimuth).max() * scale
            is_street = turn <= 1 or turn > np.pi + 1e-3
            if not is_street and distance.max() * scale > _LONG:
                return bool(np.abs(up).max() * scale < np.pi / 2)
    return False


def _judge_position(layout: Layout, records: _Records) -> tuple[float, str]:
    *places, _ = layout.columns
    position = layout.frame.apply(
        [
            records.values[number][records.is_return] * layout.fields[number].sign
            for number in places
            if number is not None
        ]
    )
    road = find_road(position)
    is_flat = road is not None and road.share > _FLAT
    many = records.is_return.size >= _BLOCKS * _BLOCK
    if many and records.closeness < _INCOHERENT and not is_flat:
        return 1.0, "neighbours in the file are as far apart as others, and no road"
    x, y, z = np.ptp(np.percentile(position, [5, 95], axis=1), axis=0)
    for name, spread in (("x", x), ("y", y)):
        if spread < 0.6 * z:
            found = f"z spreads over {z:.2g} m and {name} over {spread:.2g} m"
            return 1.0, f"{found}: is {name} up?"
    if road and road.below > 2 * road.above + (0.5 if road.z > 0 else 1.5):
        return 1.0, (
            f"points are {road.below:.1f} m below the road and {road.above:.1f} m "
            f"above it: is z down?"
        )
    score = 0.8 + 0.2 * records.closeness
    if road and is_flat:
        score *= max(0.7, 1 - 0.2 * abs(road.z + HEIGHT))
        score *= 0.95 if y > 1.1 * x else 1.0
    return score, ""


class Road(NamedTuple):
    """The height at which most points near the sensor are.

    Attributes
    ----------
    z : float
        In metres.
    share : float
        Of the points near the sensor, within `_BIN`.
    below, above : float
        How far most points are below and above, in metres.
    """

    z: float
    share: float
    below: float
    above: float


def find_road(position: Values) -> Road | None:
    """Find the road, or None if too few points are near.

    Parameters
    ----------
    position : ndarray of float64, shape (3, N)
    """
    x, y, z = position
    distances = np.hypot(x, y)
    z = z[(distances > _NEAR[0]) & (distances < _NEAR[1])]
    if z.size < _MIN_NEAR:
        return None
    low, high = np.percentile(z, [1, 99])
    edges = np.arange(low - _BIN, high + 2 * _BIN, _BIN / 2)
    counts, _ = np.histogram(z, edges)
    pairs = counts[1:] + counts[:-1]
    best = int(np.flatnonzero(pairs >= _ALMOST * pairs.max())[0])  # the lowest
    middle = float(np.median(z[(z >= edges[best]) & (z <= edges[best + 2])]))
    share = float(pairs[best] / z.size)
    return Road(middle, share, float(middle - low), float(high - middle))


def measure_closeness(position: Values) -> float:
    """Return how much closer neighbours in a file are than others: 0 not, 1 much.

    Parameters
    ----------
    position : ndarray of float64, shape (3, N)
    """
    count = position.shape[1]
    if count < _MIN_POINTS:
        return 0.0
    steps = np.median(np.abs(np.diff(position, axis=1)).sum(axis=0))
    rolled = np.roll(position, count // 2 + 1, axis=1)
    others = np.median(np.abs(position - rolled).sum(axis=0))
    return float(np.clip(1 - steps / others, 0, 1)) if others else 0.0


def judge_intensity(values: Values, clip: bool) -> tuple[float, str]:
    """Judge whether intensities are those of a scan: from 0 to 1, and not all dark.

    Parameters
    ----------
    values : ndarray of float64, shape (N,)
        After the layout's scale.
    clip : bool
        Whether some may be above 1.

    Returns
    -------
    score : float
    problem : str
    """
    finite = values[np.isfinite(values)]
    if finite.size < (1 - _RARE) * values.size:
        return 0.5, f"{finite.size} of {values.size} intensities are finite"
    tiny = np.mean((finite != 0) & (np.abs(finite) < 1e-9))
    if tiny > _RARE:
        return 0.3, f"{tiny:.0%} of intensities are nearer to 0 than 1e-9"
    # Decibels are no more than usually within a scale.
    low = np.percentile(finite, 2)
    if low < -0.02:
        return 0.5, f"intensities from {low:.2g}, expected 0 to 1"
    if finite.max() == finite.min():
        return 0.8, ""
    high, bright = np.percentile(finite, 99), np.mean(finite > 1)
    if clip:
        if bright > 0.3:
            return 0.5, f"{bright:.0%} of intensities are clipped"
        if finite.max() <= 1:  # why would it clip?
            return 0.85 * float(min(1.0, 0.8 + high)), _find_dark(high)
    elif bright > _RARE:
        return 0.5, f"intensities to {high:.3g}, expected 0 to 1"
    return float(min(1.0, 0.8 + high) - bright / 2), _find_dark(high)


def _find_dark(high: float) -> str:
    if high >= MIN_BRIGHTNESS:
        return ""
    return f"99% of intensities are below {high:.2g}, expected up to 1"


def find_colour(values: Sequence[Values]) -> str:
    """Return a problem if what is taken for an intensity is the red of a colour.

    Parameters
    ----------
    values : sequence of up to three ndarrays of float64, shape (N,)
        As they are stored: the intensity, and what follows it.
    """
    if len(values) < 3:
        return ""
    steps = np.stack(values)
    if steps.max() <= 1:
        steps *= _COLOURS
    if steps.min() < 0 or steps.max() > _COLOURS:
        return ""
    are_steps = np.abs(steps - steps.round()).max() < 0.01
    if not are_steps or not np.ptp(steps, axis=1).all():
        return ""
    likeness = np.min(np.corrcoef(steps))
    if likeness < 0.5:
        return ""
    return f"red, green and blue instead of an intensity (correlation {likeness:.2f})"


def _judge_others(layout: Layout, records: _Records) -> str:
    """Return a problem of fields that are not drawn, judged by their names."""
    for field, values in zip(layout.fields, records.values, strict=True):
        if field.name in _INTEGERS:
            is_right = (values % 1 == 0) & (values >= 0) & (values <= _MAX_INTEGER)
            expected = f"whole numbers to {_MAX_INTEGER}"
        elif field.name in _VELOCITIES:
            is_right = np.abs(values) < _MAX_VELOCITY
            expected = f"up to {_MAX_VELOCITY:g} m/s"
        else:
            continue
        wrong = 1 - np.mean(is_right)
        if wrong > _RARE:
            return f"{wrong:.0%} of {field.name} are not {expected}"
    return ""


def share_repeated(position: Values) -> float:
    """Return the share of points that are at the place of another one.

    Parameters
    ----------
    position : ndarray of float64, shape (3, N)
    """
    # The same point has the same sum, and others hardly ever.
    x, y, z = position
    total: Values = x * np.sqrt(2) + y * np.sqrt(3) + z
    return float(1 - np.unique(total).size / max(1, total.size))
