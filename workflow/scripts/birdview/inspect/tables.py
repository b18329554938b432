"""Repack the columns of files that say what they hold as records.

So files of all formats are judged by the same means.
"""

import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from importlib import import_module
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.fit import MAX_DISTANCE
from birdview.pixels.field import (
    COORDINATES,
    INTENSITIES,
    PADDING,
    TYPES,
    Field,
    meaning_of,
    parse_column,
)
from birdview.pixels.kinds import HEAD, Kind, recognise
from birdview.pixels.layout import Layout
from birdview.pixels.readers.columns import naming_what_is_missing

TEXT = "csv"
"""The format of any text, of which most is no table of points."""

_FORMATS = {
    **{".npy": "npy", ".npz": "npz", ".pcd": "pcd", ".ply": "ply", ".las": "las"},
    **{".feather": "feather", ".txt": TEXT},
}
"""By the first of the usual suffixes of a kind of file."""
_MAX_COLUMNS = 256
_BLOCKS, _BLOCK = 64, 4096
"""Of larger files, blocks of points are kept that are spread over the file."""
_MAX_TEXT = 1 << 25
"""Bytes: of larger files of text, the first lines are read."""
_COLOURS = "rgb", "rgba"
_BYTES = ".r", ".g", ".b"
_FARTHEST = 1e12
"""In any unit: no place on earth is farther from the origin of a projection."""
_MANY = 2.0
"""How many times farther away than wide the points are of a projected tile."""


class Schema(NamedTuple):
    """What files of a format hold, as records.

    Attributes
    ----------
    format : str
    columns : tuple of str
        What the file calls the numbers of a record: first the coordinates.
    types : tuple of str
    places : tuple of int
        Where the columns are in the file, from 0.
    has_names : bool
        Whether the coordinates are known by their names.
    origin : tuple of three float
        What was subtracted from the coordinates, in the unit of the file.
    constant : frozenset of int
        The columns that hold the same number in all files, by number.
    """

    format: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    places: tuple[int, ...]
    has_names: bool
    origin: tuple[float, ...] = (0.0, 0.0, 0.0)
    constant: frozenset[int] = frozenset()

    def __str__(self) -> str:
        """Return the columns in the order of the file, with their types."""
        order = sorted(range(len(self.columns)), key=self.places.__getitem__)
        parts: dict[str, list[str]] = {}
        for number in order:
            if not _is_byte(self.columns[number]):
                parts.setdefault(self.types[number], []).append(self.columns[number])
        columns = "; ".join(f"{kind} {', '.join(n)}" for kind, n in parts.items())
        return f"{self.format} with {columns}"

    def number_of(self, column: str) -> int | None:
        """Return the number of a column by its name; None if there is none."""
        if column in self.columns:
            return self.columns.index(column)
        if self.format == TEXT and column.isdecimal():
            place = int(column)
            return self.places.index(place) if place in self.places else None
        return None

    @property
    def intensity(self) -> int | None:
        """The number of the column that has the name of an intensity, and varies."""
        likely = {
            _last(name): number
            for number, name in reversed([*enumerate(self.columns)][3:])
            if meaning_of(_last(name)) == "intensity" and number not in self.constant
        }
        wanted = next((name for name in INTENSITIES if name in likely), None)
        return likely[wanted] if wanted else min(likely.values(), default=None)

    @property
    def nameless(self) -> list[int]:
        """The numbers of columns behind the coordinates that have no names."""
        return [
            number
            for number, name in enumerate(self.columns)
            if number >= 3 and _last(name).isdecimal()
        ]

    @property
    def records(self) -> Layout:
        """The layout of the records, whose fields have no names."""
        return Layout("", tuple(Field(PADDING, kind) for kind in self.types))


class Columns(NamedTuple):
    """The numbers of a file: those of many points, if not of all.

    Attributes
    ----------
    schema : Schema
    arrays : list of ndarray, shape (N,)
    """

    schema: Schema
    arrays: list[NDArray[Any]]


class Table(NamedTuple):
    """A file as records.

    Attributes
    ----------
    schema : Schema
    data : ndarray of uint8
    """

    schema: Schema
    data: NDArray[np.uint8]


def format_of(kind: Kind | None) -> str:
    """Return the format of a kind of file; empty if no layout can read it."""
    return _FORMATS.get(kind.suffixes[0], "") if kind and kind.suffixes else ""


def find_format(data: NDArray[np.uint8]) -> str:
    """Return the format of a file by its first bytes; empty for records and others."""
    return format_of(recognise(data[:HEAD].tobytes()))


def read_columns(data: NDArray[np.uint8], path: str) -> Columns:
    """Read the numbers of a file.

    Raises
    ------
    ValueError
        If it cannot be read, or if nothing in it may be coordinates.
    """
    kind = find_format(data)
    if kind == TEXT and data.size > _MAX_TEXT:
        ends = np.flatnonzero(data[:_MAX_TEXT] == ord("\n"))
        data = data[: ends[-1] + 1] if ends.size else data[:_MAX_TEXT]
    reader = import_module(f"birdview.pixels.readers.{kind}")
    with naming_what_is_missing(path, kind):
        names = reader.list_columns(data, path)[:_MAX_COLUMNS]
    if kind == TEXT:  # where each column has a number, too
        names = [name if _is_valid(name) else str(n) for n, name in enumerate(names)]
    names = [name for name in dict.fromkeys(names) if _is_valid(name)]
    arrays = reader.read(data, names, path)
    for number, name in enumerate(list(names)):
        is_packed = name in _COLOURS and arrays[number].dtype.itemsize == 4
        if is_packed and arrays[number].dtype.kind in "fiu":
            own = [name + byte for byte in _BYTES]
            names, arrays = names + own, arrays + reader.read(data, own, path)
    found = {
        name: (place, array)
        for place, (name, array) in enumerate(zip(names, arrays, strict=True))
        if array.ndim == 1 and array.dtype.kind in "fiub"
    }
    coordinates, has_names = _find_coordinates(found, names, path)
    size = len(found[coordinates[0]][1])
    rest = [n for n in found if n not in coordinates and len(found[n][1]) == size]
    columns = (*coordinates, *rest)
    arrays = [_cut(found[name][1]) for name in columns]
    schema = Schema(
        kind,
        columns,
        tuple(array.dtype.name for array in arrays),
        tuple(found[name][0] for name in columns),
        has_names,
    )
    return Columns(schema, arrays)


def _is_valid(name: str) -> bool:
    """Whether a layout can have a column of this name."""
    try:
        return parse_column("_", name) == Field(PADDING, "", column=name)
    except ValueError:
        return False


def _is_byte(name: str) -> bool:
    """Whether a column is a byte of another one."""
    return name.startswith(_COLOURS) and name.endswith(_BYTES)


def _last(name: str) -> str:
    """Return the name of a column without that of its array."""
    return name.rpartition(".")[2]


def _find_coordinates(
    found: Mapping[str, tuple[int, NDArray[Any]]], names: Sequence[str], path: str
) -> tuple[list[str], bool]:
    """Return the names of three columns, and whether these say that they are x, y, z.

    Those without such names are the first three numbers, of the same array in an
    archive.
    """
    for meaning in (meaning_of, lambda name: meaning_of(_last(name))):
        by_name = [
            next((name for name in found if meaning(name) == axis), "")
            for axis in COORDINATES
        ]
        if all(by_name) and len({len(found[name][1]) for name in by_name}) == 1:
            return by_name, True
    by_array: defaultdict[str, list[str]] = defaultdict(list)
    for name in found:
        by_array[name.rpartition(".")[0] if _last(name).isdecimal() else ""].append(
            name
        )
    likely = [
        (found[some[0]][1], some[:3])
        for some in by_array.values()
        if len(some) >= 3 and len({len(found[name][1]) for name in some[:3]}) == 1
    ]
    if not likely:
        shown = f", in {', '.join(names[:9])}" if names else ""
        raise ValueError(
            f"{path}: no x, y and z found, expected three columns of numbers{shown}"
        )
    # In an archive, there may be images and matrices, too.
    _, some = max(likely, key=lambda one: (one[0].dtype.kind == "f", len(one[0])))
    return some, False


def _cut(array: NDArray[Any]) -> NDArray[Any]:
    """Return blocks of a long column, as one of the types of records."""
    if len(array) > _BLOCKS * _BLOCK:
        starts = np.linspace(0, len(array) - _BLOCK, _BLOCKS).astype(int)
        array = np.concatenate([array[start : start + _BLOCK] for start in starts])
    name = "uint8" if array.dtype.kind == "b" else array.dtype.name
    # A copy, because the reader's may be that of the whole file.
    return array.astype(name if name in TYPES else "float64")


def pack_tables(files: Mapping[str, Columns]) -> dict[str, Table]:
    """Repack files as records; those with the same columns have the same origin."""
    by_schema: defaultdict[Schema, list[str]] = defaultdict(list)
    for path, columns in files.items():
        by_schema[columns.schema].append(path)
    tables = {}
    for schema, paths in by_schema.items():
        some = [files[path].arrays for path in paths]
        chosen = schema._replace(
            origin=_choose_origin(some), constant=_find_constant(some)
        )
        if any(chosen.origin):
            chosen = chosen._replace(types=(*("float64",) * 3, *schema.types[3:]))
        for path in paths:
            tables[path] = Table(chosen, _pack(files[path].arrays, chosen))
    return tables


def _choose_origin(files: Sequence[Sequence[NDArray[Any]]]) -> tuple[float, ...]:
    """Return the middle of projected coordinates, in whole numbers; 0 for others."""
    middles, widths = [], []
    for arrays in files:
        position = np.stack([a.astype(np.float64) for a in arrays[:3]])
        position = position[:, np.isfinite(position).all(axis=0)]
        if position.size:
            low, middle, high = np.percentile(position, [1, 50, 99], axis=1)
            middles.append(middle)
            widths.append(high - low)
    if not middles:
        return 0.0, 0.0, 0.0
    x, y, z = np.median(middles, axis=0).round()
    width = max(np.median(widths, axis=0)[:2])
    distance = max(abs(x), abs(y))
    is_projected = max(MAX_DISTANCE, _MANY * width) < distance < _FARTHEST
    if not is_projected or abs(z) > _FARTHEST:
        return 0.0, 0.0, 0.0
    return float(x), float(y), float(z)


def _find_constant(files: Sequence[Sequence[NDArray[Any]]]) -> frozenset[int]:
    constant = set()
    for number, columns in enumerate(zip(*files, strict=True)):
        values = {float(one) for c in columns if c.size for one in (c.min(), c.max())}
        if len(values) <= 1 and not any(value != value for value in values):
            constant.add(number)
    return frozenset(constant)


def _pack(arrays: Sequence[NDArray[Any]], schema: Schema) -> NDArray[np.uint8]:
    records = np.empty(len(arrays[0]), schema.records.record)
    for number, array in enumerate(arrays):
        origin = schema.origin[number] if number < 3 else 0.0
        moved = array.astype(np.float64) - origin if origin else array
        records[f"f{number}"] = moved
    return records.view(np.uint8) if records.size else np.empty(0, np.uint8)


def to_records(layout: Layout, schema: Schema) -> Layout:
    """Return a layout of the format as one of the records.

    Raises
    ------
    ValueError
        If the files do not have a column that it needs.
    """
    fields = [Field(PADDING, kind) for kind in schema.types]
    numbers = []
    for field in layout.fields:
        number = schema.number_of(field.column)
        if number is None:
            raise ValueError(f"no field {field.column} in the files")
        numbers.append(number)
        offset = field.offset
        if number < 3:
            offset += schema.origin[number] / field.divisor * field.factor
        if field.name in COORDINATES:
            axis = COORDINATES.index(field.name)
            offset -= field.sign * layout.origin[axis]
        if fields[number].name != PADDING and field.name not in COORDINATES:
            continue  # a column that is used twice
        fields[number] = field._replace(
            type=schema.types[number], column="", offset=offset
        )
    for name in COORDINATES:
        if all(field.name != name for field in fields):
            raise ValueError(f"{name} is the same column as another coordinate")
    choice = layout.choice
    keep, drop = (
        tuple(rule._replace(field=numbers[rule.field]) for rule in rules)
        for rules in (choice.keep, choice.drop)
    )
    return Layout(
        layout.name,
        tuple(fields),
        layout.suffix,
        clip=layout.clip,
        frame=layout.frame,
        choice=choice._replace(keep=keep, drop=drop),
    )


def from_records(layout: Layout, schema: Schema) -> Layout:
    """Return a layout of the records as one of the format.

    Columns that it does not use have names of their own, for `keep` and `drop`, but not
    those that are the same everywhere.
    """
    origin, numbers = [0.0, 0.0, 0.0], dict[int, int]()
    fields: list[Field] = []
    taken = {field.name for field in layout.fields}
    order = sorted(range(len(layout.fields)), key=schema.places.__getitem__)
    for number in order:
        field = layout.fields[number]._replace(type="", column=schema.columns[number])
        if field.name in COORDINATES and number < 3 and schema.origin[number]:
            moved = schema.origin[number] / field.divisor * field.factor
            axis = COORDINATES.index(field.name)
            origin[axis] = field.sign * (moved - field.offset)
            field = field._replace(offset=0.0)
        elif field.name == PADDING:
            if number in schema.constant or _is_byte(field.column):
                continue
            name = _own_name(field.column, taken)
            taken.add(name)
            field = Field(name, "", column=field.column)
        numbers[number] = len(fields)
        fields.append(field)
    choice = layout.choice
    keep, drop = (
        tuple(rule._replace(field=numbers[rule.field]) for rule in rules)
        for rules in (choice.keep, choice.drop)
    )
    x, y, z = origin
    return layout._replace(
        fields=tuple(fields),
        suffix=f".{schema.format}",
        choice=choice._replace(keep=keep, drop=drop),
        format=schema.format,
        origin=(x, y, z),
    )


def _own_name(column: str, taken: Container[str]) -> str:
    """Return what a layout may call a column that it does not use itself."""
    name = re.sub("[^A-Za-z0-9_]", "_", column)
    if column.isdecimal():
        name = f"number_{int(column) + 1}"
    if meaning_of(name) or not name.strip("_"):
        name = f"unused_{name}"
    same = (f"{name}_{number}" for number in count(2))
    return name if name not in taken else next(one for one in same if one not in taken)
