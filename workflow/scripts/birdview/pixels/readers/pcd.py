"""Read the files of the Point Cloud Library.

Their coordinates are those of the sensor: VIEWPOINT only says where it was.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import (
    Column,
    check_decoded,
    name_start,
    pick,
)
from birdview.pixels.readers.text import Text, parse_lines

_HEAD = 1 << 16
"""A header is shorter."""
_MAX_NUMBERS = 1 << 12
"""Of a point: histograms have some hundred."""
_LINE = re.compile(rb"[^\n]*\n")
_PADDING = "_"
_TYPES = {
    **{f"F{size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"I{size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{size}": f"<u{size}" for size in (1, 2, 4, 8)},
}


class _Field(NamedTuple):
    """One number of a point, or several of one name.

    Attributes
    ----------
    name : str
    type : str
        The NumPy type.
    numbers : int
        How many; may be 0.
    """

    name: str
    type: str
    numbers: int

    @property
    def size(self) -> int:
        """The bytes of a point."""
        return np.dtype(self.type).itemsize * self.numbers


class _Header(NamedTuple):
    """What a header says.

    Attributes
    ----------
    fields : list of _Field
    points : int
    encoding : str
        ``ascii``, ``binary`` or ``binary_compressed``.
    size : int
        The bytes of the header itself.
    """

    fields: list[_Field]
    points: int
    encoding: str
    size: int

    @property
    def names(self) -> list[str]:
        """Those of the columns: ``name.0``, ``name.1``, ... for several numbers."""
        return [
            field.name if field.numbers == 1 else f"{field.name}.{number}"
            for field in self.fields
            if field.name != _PADDING
            for number in range(field.numbers)
        ]


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return columns of a point cloud, organised ones row by row.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        Names of fields; ``name.0``, ``name.1``, ... of one that has several numbers;
        ``rgb.r`` for a byte of a packed colour.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no point cloud, is cut short or damaged, or has no such field.
    """
    header = _parse_header(data, path)
    body = data[header.size :]
    if header.encoding == "ascii":
        return _read_text(body, header, wanted, path)
    if header.encoding == "binary":
        columns = _split_records(body, header, path)
    else:
        columns = _split_fields(_decompress(body, header, path), header)
    return pick(wanted, header.names, columns.__getitem__, path)


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of the columns that `read` can return.

    Parameters and errors are those of `read`.
    """
    return _parse_header(data, path).names


def _parse_header(data: NDArray[np.uint8], path: PathLike) -> _Header:
    head, entries, position = data[:_HEAD].tobytes(), dict[str, list[str]](), 0
    while "DATA" not in entries:
        line = _LINE.match(head, position)
        words = line[0].decode("latin-1").split() if line else []
        if line is None or (not entries and words and not _is_start(words)):
            raise ValueError(
                f"{path}: {name_start(data)} found, expected a PCD file with a whole "
                f"header"
            )
        position = line.end()
        if words and not words[0].startswith("#"):
            entries[words[0].upper()] = words[1:]
    names = entries.get("FIELDS", entries.get("COLUMNS", []))
    sizes, types = entries.get("SIZE", []), entries.get("TYPE", [])
    counts = entries.get("COUNT", ["1"] * len(names))
    if not names or not len(names) == len(sizes) == len(types) == len(counts):
        raise ValueError(
            f"{path}: {len(names)} FIELDS, {len(sizes)} SIZE, {len(types)} TYPE and "
            f"{len(counts)} COUNT found, expected as many of each"
        )
    fields = []
    for name, kind, size, count in zip(names, types, sizes, counts, strict=True):
        if f"{kind}{size}" not in _TYPES:
            raise ValueError(
                f"{path}: {name} has TYPE {kind} and SIZE {size}, expected one of "
                f"{', '.join(_TYPES)}"
            )
        number = _parse_number(count, f"COUNT of {name}", path)
        fields.append(_Field(name, _TYPES[f"{kind}{size}"], number))
    total = sum(field.numbers for field in fields)
    if total > _MAX_NUMBERS:
        raise ValueError(
            f"{path}: COUNT of {total} numbers for a point, expected at most "
            f"{_MAX_NUMBERS}"
        )
    encoding = " ".join(entries["DATA"]).lower()
    if encoding not in ("ascii", "binary", "binary_compressed"):
        raise ValueError(
            f"{path}: DATA {encoding or 'of no kind'}, expected ascii, binary or "
            f"binary_compressed"
        )
    return _Header(fields, _count_points(entries, path), encoding, position)


def _is_start(words: list[str]) -> bool:
    return words[0].startswith("#") or words[0].upper() in (
        "VERSION",
        "FIELDS",
        "COLUMNS",
    )


def _count_points(entries: dict[str, list[str]], path: PathLike) -> int:
    """Return the number of points; raise ValueError if two numbers contradict."""
    numbers = {
        key: _parse_number(" ".join(entries[key]), key, path)
        for key in ("WIDTH", "HEIGHT", "POINTS")
        if key in entries
    }
    area = numbers.get("WIDTH", 0) * numbers.get("HEIGHT", 1)
    points = numbers.get("POINTS", area)
    if "WIDTH" in numbers and points != area:
        raise ValueError(
            f"{path}: {points} POINTS found, expected {area}, WIDTH times HEIGHT"
        )
    return points


def _parse_number(text: str, what: str, path: PathLike) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise ValueError(f"{path}: {what} is {text[:40]!r}, expected a whole number")
    return int(text)


def _split_records(
    body: NDArray[np.uint8], header: _Header, path: PathLike
) -> dict[str, Column]:
    size = sum(field.size for field in header.fields)
    expected = header.points * size
    # Some programs leave more behind the last point.
    if body.size < expected:
        raise ValueError(
            f"{path}: {body.size} bytes after the header, expected {expected} for "
            f"{header.points} points of {size} bytes"
        )
    types: dict[str, tuple[str, int]] = {}
    start = 0
    names = iter(header.names)
    for field in header.fields:
        width = np.dtype(field.type).itemsize
        for _ in range(field.numbers):
            if field.name != _PADDING:
                types[next(names)] = field.type, start
            start += width
    formats, offsets = zip(*types.values(), strict=True) if types else ((), ())
    if not expected:
        return {name: np.empty(0, kind) for name, (kind, _) in types.items()}
    record = np.dtype(
        {"names": [*types], "formats": formats, "offsets": offsets, "itemsize": size}
    )
    records = body[:expected].view(record)
    return {name: records[name] for name in types}


def _split_fields(body: NDArray[np.uint8], header: _Header) -> dict[str, Column]:
    columns, start = {}, 0
    names = iter(header.names)
    for field in header.fields:
        stop = start + header.points * field.size
        if field.name != _PADDING and field.numbers:
            numbers = body[start:stop].view(field.type)
            for column in numbers.reshape(header.points, field.numbers).T:
                columns[next(names)] = column
        start = stop
    return columns


def _decompress(
    body: NDArray[np.uint8], header: _Header, path: PathLike
) -> NDArray[np.uint8]:
    """Return the fields of a compressed cloud, one after another."""
    expected = header.points * sum(field.size for field in header.fields)
    if body.size < 8:
        raise ValueError(
            f"{path}: {body.size} bytes after the header, expected 8 and the points"
        )
    packed, size = body[:8].view("<u4").tolist()
    if size != expected or packed > body.size - 8:
        raise ValueError(
            f"{path}: {packed} bytes that become {size} announced, expected at most "
            f"{body.size - 8} that become {expected} for {header.points} points"
        )
    check_decoded(size, path)
    if not size:
        return body[:0]
    from birdview.pixels.readers.lzf import decompress

    decoded: NDArray[np.uint8]
    decoded, count, is_whole = decompress(body[8 : 8 + packed], size)
    if not is_whole:
        raise ValueError(
            f"{path}: damaged LZF stream after {count} of {size} decoded bytes, "
            f"expected it to become exactly these"
        )
    return decoded


def _read_text(
    body: NDArray[np.uint8], header: _Header, wanted: Sequence[str], path: PathLike
) -> list[Column]:
    text = Text(body, 0, header.points, is_last=True)
    all_names = [f.name for f in header.fields for _ in range(f.numbers)]
    types = [f.type for f in header.fields for _ in range(f.numbers)]
    columns = [
        column
        for name, column in zip(
            all_names, parse_lines(text, all_names, types, path), strict=True
        )
        if name != _PADDING
    ]
    column_of = dict(zip(header.names, columns, strict=True))
    return pick(wanted, header.names, column_of.__getitem__, path)
