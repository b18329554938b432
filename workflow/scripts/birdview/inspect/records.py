"""Find records that no built-in layout describes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.fit import find_header, find_impossible, measure_closeness, sample
from birdview.inspect.ground import find_ground
from birdview.pixels.field import Field
from birdview.pixels.layout import Layout

UNITS = {1.0: "metres", 1000.0: "millimetres", 100.0: "centimetres", 0.001: "km"}
"""What coordinates are divided by, and their name; the likeliest first."""

_SKIPS = 0, 4, 8, 16
_EXTRAS: tuple[tuple[str, ...], ...] = (
    *(("float32",), ("uint8",), ("uint8",) * 2, ("uint8",) * 3, ("uint8",) * 4),
    *(("uint16",), ("uint16",) * 2, ("uint8", "uint16"), ("uint32",)),
    *(("float32", "uint16"), ("float32", "uint16", "uint16")),
    *(("float32", "uint16", "float32"), ("float32", "uint8"), ("float64",)),
)
"""What may follow three coordinates, beside more numbers of their type."""
_HEIGHTS = 0.2, 6.0
"""Metres: plausible heights of a sensor above the road or the floor."""
ROAD_SCORE = 0.8
"""No record without a road has more."""
_FEWEST = 32  # records in a file
_MIN_SCORE = 0.59  # more than noise has
_BLOCKS, _BLOCK = 16, 240  # a multiple of what `_alternates` counts by


class Record(NamedTuple):
    """A layout of nothing but the types of a record, and the unit of coordinates.

    Attributes
    ----------
    layout : Layout
        Its fields have no names.
    divisor : float
        One of `UNITS`.
    score : float
        From 0 to 1.
    """

    layout: Layout
    divisor: float
    score: float

    def is_like(self, layout: Layout) -> bool:
        """Whether another one has the same size and the same coordinates."""
        mine = self.layout
        return (
            (mine.skip, mine.endian) == (layout.skip, layout.endian)
            and mine.fields[:3] == layout.fields[:3]
            and mine.record.itemsize == layout.record.itemsize
        )


def find_record(files: Sequence[NDArray[np.uint8]]) -> Record | None:
    """Find the record of some files of the same kind; None if nothing fits.

    It begins with three coordinates.

    Parameters
    ----------
    files : sequence of ndarray of uint8
        Their contents.
    """
    best = None
    with np.errstate(all="ignore"):  # any bytes may be numbers out of range
        for types, skip, endian in _family():
            size = sum(np.dtype(kind).itemsize for kind in types)
            bodies = [data.size - skip for data in files]
            if not bodies or any(b < _FEWEST * size or b % size for b in bodies):
                continue
            layout = _layout(types, skip, endian)
            if best and best.is_like(layout):
                continue  # of the same size, with other types behind the coordinates
            found = _find_unit(files, layout, UNITS, size / 1000 + bool(skip) / 100)
            if found and (best is None or found.score > best.score):
                best = found
        return best and _choose_rest(files[0], best)


def find_unit(
    files: Sequence[NDArray[np.uint8]], layout: Layout, units: Iterable[float] = UNITS
) -> Record | None:
    """Find the unit of coordinates, the first three numbers of known records.

    Parameters
    ----------
    files : sequence of ndarray of uint8
        Their contents.
    layout : Layout
        Of the records.
    units : iterable of float
        Those of `UNITS` that are possible.

    Returns
    -------
    Record or None
        None if they are no coordinates of scans.
    """
    size = layout.record.itemsize
    if not files or any(data.size < _FEWEST * size for data in files):
        return None
    with np.errstate(all="ignore"):  # any numbers may be out of range
        return _find_unit(files, layout, units, 0.0, are_known=True)


def find_doubt(data: NDArray[np.uint8], layout: Layout) -> str:
    """Return why the coordinates of known records may be those of no scan, if so."""
    size = layout.record.itemsize
    if data.size < _FEWEST * size:
        return f"{data.size // size} points, expected at least {_FEWEST}"
    with np.errstate(all="ignore"):
        columns = sample(data, layout, _BLOCKS, _BLOCK)[:3]
        position = np.stack(columns).astype(np.float64)
        position = position[:, np.isfinite(position).all(axis=0) & position.any(axis=0)]
        if position.shape[1] < _FEWEST:
            return f"{position.shape[1]} of {len(columns[0])} points are returns"
        return find_impossible(position)


def _find_unit(
    files: Sequence[NDArray[np.uint8]],
    layout: Layout,
    units: Iterable[float],
    unlikely: float,
    are_known: bool = False,
) -> Record | None:
    best = None
    for divisor in units:
        scores = [_score(data, layout, divisor, are_known) for data in files]
        score = float(np.median(scores)) - unlikely
        if score > _MIN_SCORE and (best is None or score > best.score):
            best = Record(layout, divisor, score)
    return best


def _choose_rest(data: NDArray[np.uint8], record: Record) -> Record:
    """Choose the likeliest types behind the coordinates, among those of the same size.

    Floating-point numbers are, if they are neither very small nor very large.
    """
    skip, endian = record.layout.skip, record.layout.endian
    best, best_score = record, -1.0
    for types, *rest in _family():
        layout = _layout(types, skip, endian)
        if rest != [skip, endian] or not record.is_like(layout):
            continue
        columns = sample(data, layout, _BLOCKS, _BLOCK)[3:]
        if all(map(_is_sane, columns)):
            are_floats = all(column.dtype.kind == "f" for column in columns)
            are_alike = len({*types}) == 1
            score = _judge_rest(columns) + are_floats * (1 + are_alike)
            if score > best_score:
                best, best_score = record._replace(layout=layout), score
    return best


def _layout(types: tuple[str, ...], skip: int, endian: str) -> Layout:
    fields = tuple(Field("_", kind) for kind in types)
    return Layout("", fields, skip=skip, endian=endian)


def _family() -> Iterator[tuple[tuple[str, ...], int, str]]:
    """Yield types, skipped bytes and order of bytes of records."""
    for skip in _SKIPS:
        for types in _types():
            are_floats = all(kind.startswith("float") for kind in types)
            for endian in ("little", "big") if are_floats else ("little",):
                yield types, skip, endian


def _types() -> Iterator[tuple[str, ...]]:
    for count in range(3, 9):
        yield ("float32",) * count
        yield ("float64",) * count
    for kind in ("float32", "float64", "int32", "int16"):
        for extra in _EXTRAS:
            yield (*(kind,) * 3, *extra)
    for kind in ("int32", "int16"):
        for count in range(3, 7):
            yield (kind,) * count


def _score(
    data: NDArray[np.uint8], layout: Layout, divisor: float, are_known: bool
) -> float:
    columns = sample(data, layout, _BLOCKS, _BLOCK)
    if not are_known and not all(map(_is_sane, columns)):
        return 0.0
    position = np.stack(columns[:3]).astype(np.float64) / divisor
    if find_header(position):
        return 0.0
    alternates = _alternates(np.nan_to_num(position))
    is_return = np.isfinite(position).all(axis=0) & position.any(axis=0)
    position = position[:, is_return]
    if position.shape[1] < max(5, is_return.size / 100) or find_impossible(position):
        return 0.0
    score = ROAD_SCORE - 0.2 + 0.2 * measure_closeness(position) - 0.3 * alternates
    ground = find_ground(position.T)
    if ground and _HEIGHTS[0] < abs(ground.height) < _HEIGHTS[1]:
        score += 0.2
    return score


def _judge_rest(columns: Sequence[NDArray[Any]]) -> float:
    """Score numbers behind coordinates, to tell types of the same size apart.

    Neighbours in a file have similar values; the low bytes of wider numbers do not.
    """
    score = -0.002 * len(columns)
    for column in columns:
        values = column.astype(np.float64)
        steps = np.mean(np.abs(np.diff(values)))
        others = float(np.mean(np.abs(values - np.roll(values, len(values) // 2 + 1))))
        likeness = max(0.0, 1 - float(steps) / others) if others else 0.0
        is_noise = others > 0 and likeness < 0.1
        score += 0.01 * likeness - 0.01 * is_noise
    return score


def _is_sane(column: NDArray[Any]) -> bool:
    """Whether numbers are not those of other types: very small, very large or none."""
    if column.dtype.kind != "f":
        return True
    sizes = np.abs(column[np.isfinite(column) & (column != 0)]).astype(np.float64)
    return (
        bool(np.mean((sizes < 1e-12) | (sizes > 1e25)) < 0.01) if sizes.size else True
    )


def _alternates(position: NDArray[np.float64]) -> bool:
    """Whether every second or third record is another: their bytes are too few."""
    for step in (2, 3):
        levels = [
            np.percentile(position[:2, start::step], [10, 50, 90], axis=1)
            for start in range(step)
        ]
        wide = np.ptp(np.percentile(position[:2], [10, 90], axis=1), axis=0)
        if (np.ptp(levels, axis=0).max(axis=0) > 0.4 * wide).any():
            return True
    return False
