"""Read the file of a scan as points."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.counts import LeftOut
from birdview.files import PathLike
from birdview.pixels.camera import Camera
from birdview.pixels.choice import Choice, Mask, Rule
from birdview.pixels.field import Field
from birdview.pixels.frame import Frame
from birdview.pixels.kinds import HEAD, recognise
from birdview.pixels.layout import MAX_RANGE, Layout, LayoutLike, load_layout
from birdview.pixels.readers.columns import naming_what_is_missing

MIN_REFLECTANCE, MAX_BAD_SHARE = -1.0, 0.2
"""A scan is rejected if more than this share of its reflectances are below the minimum:
the layout is probably wrong."""

_MAP = 1e8
"""Metres. Projected coordinates with the number of their zone have eight digits."""

_PIECE = 1 << 14
"""Points that are inspected at once: huge scans must not need more memory."""


def read_scan(
    path: PathLike, layout: LayoutLike = "kitti", camera: Camera | None = None
) -> NDArray[np.float32]:
    """Read the points of a scan file that count, in the frame that encodings assume.

    Parameters
    ----------
    path : path-like
        A file of records, or of the layout's format.
    layout : str, path-like, Layout or list of mapping
        What the points are in the file, for `birdview.load_layout`.
    camera : Camera, optional
        As `birdview.read_camera` returns it: only points that it sees are read.

    Returns
    -------
    ndarray of float32, shape (N, 4)
        x, y, z in metres (forward, left, up; the road is at z = -1.73) and intensity, 0
        where the record has none; (0, 4) for an empty file. Without the points that the
        layout leaves out, such as those at (0, 0, 0).

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If its bytes cannot be points: see `decode_scan`.
    """
    points, _ = decode_scan(read_bytes(path), load_layout(layout), path, camera)
    return points


def read_bytes(path: PathLike) -> NDArray[np.uint8]:
    """Read the bytes of a file at once, shape (size,) uint8."""
    with naming_memory_errors(path):
        return np.fromfile(path, dtype=np.uint8)


@contextmanager
def naming_memory_errors(path: PathLike) -> Iterator[None]:
    """Put the name of a file in front of errors that memory does not suffice for it."""
    try:
        yield
    except MemoryError as error:
        start = f"{path}: out of memory: "
        raise MemoryError(f"{start}{str(error).removeprefix(start)}") from None


class ScanBuffer:
    """Memory that is kept, to read one file after another into it.

    New memory for each file would take longer than reading it.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, dtype=np.uint8)

    def read(self, path: PathLike) -> NDArray[np.uint8]:
        """Read the bytes of a file, as `read_bytes`; valid until the next call."""
        path = os.fspath(path)
        if not stat.S_ISREG(os.stat(path).st_mode):
            return np.fromfile(path, dtype=np.uint8)
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._memory.size:
                self._memory = np.empty(0, dtype=np.uint8)  # the old goes first
                self._memory = np.empty(size, dtype=np.uint8)
            start = 0
            while start < size:
                count = file.readinto(self._memory[start:size].data)
                if not count:  # the file has become shorter
                    break
                start += count
        return self._memory[:start]


class Cloud(NamedTuple):
    """The points of a file that count, in its own axes.

    Attributes
    ----------
    columns : list of four ndarray, shape (N,)
        x, y and z in metres, and intensity.
    fields : dict of str to ndarray of float32, shape (N,)
        Other numbers of the points.
    left_out : LeftOut
        How many points of the file are not among them.
    points : ndarray of float32, shape (N, 4), or None
        The columns side by side, if the file has them like that.
    """

    columns: list[NDArray[Any]]
    fields: dict[str, NDArray[np.float32]]
    left_out: LeftOut
    points: NDArray[np.float32] | None = None


class Placed(NamedTuple):
    """Points in the axes of an image.

    Attributes
    ----------
    points : ndarray of float32, shape (N, 4)
    fields : dict of str to ndarray of float32, shape (N,)
    left_out : LeftOut
    counts : list of int
        How many of them are of each cloud, in order.
    """

    points: NDArray[np.float32]
    fields: dict[str, NDArray[np.float32]]
    left_out: LeftOut
    counts: list[int]


def decode_scan(
    data: NDArray[np.uint8],
    layout: Layout,
    path: PathLike,
    camera: Camera | None = None,
) -> tuple[NDArray[np.float32], LeftOut]:
    """Turn the bytes of a scan into points.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    layout : Layout
        The layout of the records.
    path : path-like
        For error messages.
    camera : Camera, optional
        What leaves out the points that it does not see.

    Returns
    -------
    points : ndarray of float32, shape (N, 4)
        As `read_scan`. May share the memory of `data`.
    left_out : LeftOut
        How many points of the file are not among them.

    Raises
    ------
    ValueError
        As `decode_cloud`. Or if the camera sees none of the points.
    """
    cloud = decode_cloud(data, layout, path)
    placed = place([cloud], [layout.frame], [camera])
    check_seen(cloud, placed.counts[0], path)
    return placed.points, placed.left_out


def check_seen(cloud: Cloud, seen: int, path: PathLike) -> None:
    """Raise ValueError if there are points, but the camera sees none of them."""
    count = len(cloud.columns[0])
    if count and not seen:
        raise ValueError(
            f"{path}: the camera sees none of {count} points, expected some, with the "
            f"calibration of this scan"
        )


def decode_cloud(
    data: NDArray[np.uint8],
    layout: Layout,
    path: PathLike,
    fields: Collection[str] = (),
    more: Mapping[str, Callable[[int], NDArray[np.float32]]] = MappingProxyType({}),
) -> Cloud:
    """Turn the bytes of a scan into the points that count, in the axes of the file.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.
    layout : Layout
        The layout of the records.
    path : path-like
        For error messages.
    fields : collection of str
        Other numbers that are wanted; the points have NaN for one that the layout does
        not name.
    more : mapping of str to function
        Numbers of the points that another file has, by name: each returns those of all
        points of this file, given how many there are.

    Raises
    ------
    ValueError
        If the file must hold something else: its first bytes are those of another kind
        of file (see `birdview.pixels.kinds`), its size is no multiple of the record's,
        a finite coordinate is farther away than any sensor sees, or many reflectances
        are far below 0. Or if the layout leaves out all points.
    """
    # Any four bytes may be a signalling NaN or almost infinite, which is no news: such
    # points are counted.
    with np.errstate(over="ignore", invalid="ignore"):
        return _decode(data, layout, path, fields, more)


def _decode(
    data: NDArray[np.uint8],
    layout: Layout,
    path: PathLike,
    fields: Collection[str],
    more: Mapping[str, Callable[[int], NDArray[np.float32]]],
) -> Cloud:
    stored = _split(data, layout, path)
    points: NDArray[np.float32] | None = None
    if _is_plain(layout):
        numbers = data[layout.skip :].view("<f4").astype(np.float32, copy=False)
        points = np.require(numbers.reshape(-1, 4), requirements="A")
        columns, beyond = [*points.T], _count_beyond(points)
    else:
        columns, beyond = _convert(stored, layout)
    count = len(columns[0])
    if beyond:
        raise ValueError(
            f"{path}: {beyond} of {count} points have a coordinate beyond "
            f"{MAX_RANGE:g} m, expected metres{_suggest_origin(columns)} ({layout})"
        )
    dark = int(np.count_nonzero(columns[3] < MIN_REFLECTANCE))
    if dark > MAX_BAD_SHARE * count:
        raise ValueError(
            f"{path}: {dark} of {count} points have a reflectance below "
            f"{MIN_REFLECTANCE:g}, expected none below 0 ({layout})"
        )
    others = {name: _field(name, stored, layout, count) for name in fields}
    others |= {name: numbers_of(count) for name, numbers_of in more.items()}
    left_out = LeftOut()
    if layout.choice != Choice() or _is_any_at_origin(*columns[:3]):
        # What follows is several times as fast with columns without gaps.
        columns, points = [np.ascontiguousarray(values) for values in columns], None
        chosen, left_out = _choose(columns, stored, layout, path)
        if chosen is not None:
            columns = [values[chosen] for values in columns]
            others = {name: values[chosen] for name, values in others.items()}
    if layout.clip:
        too_bright = (columns[3] > 1) & (columns[3] < np.inf)
        columns[3], points = np.where(too_bright, np.float32(1), columns[3]), None
    return Cloud(columns, others, left_out, points)


def _field(
    name: str, stored: list[NDArray[Any]], layout: Layout, count: int
) -> NDArray[np.float32]:
    """Return the numbers of a field as float32; NaN if the layout names no such one."""
    for field, column in zip(layout.fields, stored, strict=True):
        if field.name == name:
            return field.convert(column).astype(np.float32)
    return np.full(count, np.nan, dtype=np.float32)


def place(
    clouds: Sequence[Cloud],
    frames: Sequence[Frame],
    cameras: Sequence[Camera | None],
) -> Placed:
    """Bring points to the axes of an image, cloud by cloud.

    Parameters
    ----------
    clouds : sequence of Cloud
        With the same fields.
    frames : sequence of Frame
        What brings the points of each there.
    cameras : sequence of (Camera or None)
        What leaves out those points of each that it does not see.

    Returns
    -------
    Placed
        Its arrays may share the memory of a single cloud.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # as in `decode_cloud`
        seen = [*map(_see, clouds, cameras)]
        counts = [len(cloud.columns[0]) for cloud in seen]
        left_out = LeftOut(*map(sum, zip(*(one.left_out for one in seen), strict=True)))
        first, *others = seen
        if not others and first.points is not None and frames[0].is_identity:
            return Placed(first.points, first.fields, left_out, counts)
        points = np.empty((sum(counts), 4), dtype=np.float32)
        start = 0
        for cloud, frame, count in zip(seen, frames, counts, strict=True):
            _move(cloud, frame, points[start : start + count])
            start += count
        fields = {
            name: np.concatenate([cloud.fields[name] for cloud in seen])
            for name in first.fields
        }
    return Placed(points, fields, left_out, counts)


def _see(cloud: Cloud, camera: Camera | None) -> Cloud:
    """Return the points that a camera sees."""
    if camera is None:
        return cloud
    seen = camera.find_seen(cloud.columns)
    hidden = len(cloud.columns[0]) - len(seen)
    return Cloud(
        [values[seen] for values in cloud.columns],
        {name: values[seen] for name, values in cloud.fields.items()},
        cloud.left_out._replace(hidden=hidden),
    )


def _move(cloud: Cloud, frame: Frame, points: NDArray[np.float32]) -> None:
    """Write the points of a cloud, as a frame moves them, shape (N, 4)."""
    *position, intensity = cloud.columns
    targets = points.T
    if frame.is_identity:
        for values, target in zip(position, targets, strict=False):
            target[:] = values
    else:
        frame.apply_into(position, targets[:3])
    targets[3] = intensity


def _split(
    data: NDArray[np.uint8], layout: Layout, path: PathLike
) -> list[NDArray[Any]]:
    """Return an array of the numbers of each field, which may share the memory."""
    if not layout.is_records:
        return _read_columns(data, layout, path)
    body, record = data[layout.skip :], layout.record
    size = record.itemsize
    kind = recognise(body[:HEAD].tobytes())
    if kind:
        kind = recognise(data[:HEAD].tobytes()) or kind
        raise ValueError(
            f"{path}: {kind.name} found, expected records of {size} bytes ({layout}): "
            f"{kind.advise(layout.suffix)}"
        )
    if data.size < layout.skip or body.size % size:
        after = f"{layout.skip} and " if layout.skip else ""
        raise ValueError(
            f"{path}: {data.size} bytes found, expected {after}a multiple of {size} "
            f"({layout})"
        )
    if layout.order == "records":
        records = body.view(record)
        return [records[name] for name in record.names or ()]
    count, start, columns = body.size // size, 0, []
    for number in range(len(layout.fields)):
        stop = start + count * record[number].itemsize
        columns.append(body[start:stop].view(record[number]))
        start = stop
    return columns


def _read_columns(
    data: NDArray[np.uint8], layout: Layout, path: PathLike
) -> list[NDArray[Any]]:
    """Return the columns of a file that says itself what it holds."""
    reader = import_module(f"birdview.pixels.readers.{layout.format}")
    wanted = [field.column for field in layout.fields]
    with naming_what_is_missing(path, layout.format):
        columns: list[NDArray[Any]] = reader.read(data, wanted, path)
    for field, column in zip(layout.fields, columns, strict=True):
        if column.ndim != 1 or column.dtype.kind not in "fiub":
            raise ValueError(
                f"{path}: {field.column} is {column.dtype} of shape {column.shape}, "
                f"expected one number for each point ({layout})"
            )
        if len(column) != len(columns[0]):
            raise ValueError(
                f"{path}: {len(column)} numbers {field.column} for {len(columns[0])} "
                f"numbers {layout.fields[0].column}, expected as many ({layout})"
            )
    return columns


def _suggest_origin(columns: list[NDArray[Any]]) -> str:
    """Return what makes projected coordinates those of a sensor in their middle.

    Nothing if they are farther apart than any sensor sees, or farther away than any map
    reaches, and so no coordinates.
    """
    middle: list[str] = []
    for values in columns[:3]:
        finite = values[np.isfinite(values)]
        low, high = finite.min(initial=0), finite.max(initial=0)
        if not len(finite) or max(-low, high) > _MAP:
            return ""
        if np.ptp(finite.astype(np.float64)) > MAX_RANGE:
            return ""
        middle.append(f"{np.median(finite):.0f}")
    return f"; or projected ones with `origin: [{', '.join(middle)}]` in the layout"


def _is_plain(layout: Layout) -> bool:
    """Whether the records are points as they are, but for the bytes' order."""
    fields = tuple(field._replace(name="") for field in layout.fields)
    return (
        layout.is_records
        and layout.columns == (0, 1, 2, 3)
        and not any(layout.origin)
        and fields == (Field("", "float32"),) * 4
        and layout.endian == "little"
        and layout.order == "records"
    )


def _convert(
    stored: list[NDArray[Any]], layout: Layout
) -> tuple[list[NDArray[Any]], int]:
    """Return x, y, z and intensity, and how many points are impossibly far away."""
    count = len(stored[0])
    columns: list[NDArray[Any]] = []
    is_beyond = np.zeros(count, dtype=bool)
    *coordinates, intensity = layout.columns
    for number, origin in zip(coordinates, layout.origin, strict=True):
        assert number is not None
        values = _position(layout.fields[number], stored[number], origin)
        distances = np.abs(values)
        is_beyond |= (distances > MAX_RANGE) & (distances < np.inf)
        columns.append(values)
    if intensity is None:
        columns.append(np.zeros(count, dtype=np.float32))
    else:
        values = layout.fields[intensity].convert(stored[intensity])
        columns.append(values.astype(np.float32))  # infinite if it is beyond float32
    return columns, int(np.count_nonzero(is_beyond))


def _position(field: Field, stored: NDArray[Any], origin: float) -> NDArray[Any]:
    """Return a coordinate, in float64 unless a float32 holds it."""
    if stored.dtype.char == "f" and field.is_as_stored and not origin:
        values = stored.astype(np.float32)  # in the usual order of bytes
        return np.negative(values, out=values) if field.sign < 0 else values
    return field.convert(stored) - origin


def _choose(
    columns: list[NDArray[Any]],
    stored: list[NDArray[Any]],
    layout: Layout,
    path: PathLike,
) -> tuple[NDArray[np.intp] | None, LeftOut]:
    """Return which points count, None if all do, and how many do not."""
    fields, choice = layout.fields, layout.choice

    def holds(rule: Rule) -> Mask:
        field, column = fields[rule.field], stored[rule.field]
        is_as_stored, values = field.is_as_stored, rule.values
        values = values.rounded(column.dtype) if is_as_stored else values
        return values.holds(field.convert(column))

    if choice.without:
        box = []
        for number, between in zip(layout.columns, choice.without, strict=False):
            assert number is not None
            is_as_stored = fields[number].is_as_stored
            kind = stored[number].dtype
            box.append(between.rounded(kind) if is_as_stored else between)
        choice = choice._replace(without=tuple(box))
    try:
        kept, left_out = choice.apply(columns, holds, stored)
    except ValueError as error:
        raise ValueError(f"{path}: {error} ({layout})") from None
    # Their numbers are faster to use than the mask.
    return np.flatnonzero(kept) if sum(left_out) else None, left_out


def _is_any_at_origin(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any]) -> bool:
    near = np.flatnonzero(x == 0)
    return bool(((y[near] == 0) & (z[near] == 0)).any())


def _count_beyond(points: NDArray[np.float32]) -> int:
    """Return how many points are impossibly far away."""
    low, high = points.min(initial=0), points.max(initial=0)
    if low >= -MAX_RANGE and high <= MAX_RANGE:  # neither if there is a NaN
        return 0
    return sum(
        _count_beyond_in_piece(points[start : start + _PIECE])
        for start in range(0, len(points), _PIECE)
    )


def _count_beyond_in_piece(points: NDArray[np.float32]) -> int:
    distances = np.abs(points)
    x, y, z, _ = ((distances > MAX_RANGE) & (distances < np.inf)).T
    return int(np.count_nonzero(x | y | z))
