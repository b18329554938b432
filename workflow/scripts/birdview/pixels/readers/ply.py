"""Read PLY files, the polygons of which do not matter."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.readers.columns import (
    Column,
    name_start,
    pick,
)
from birdview.pixels.readers.text import Text, parse_lines

_HEAD = 1 << 20
"""A header with its comments is shorter."""
_END = re.compile(rb"^end_header[ \t]*\r?\n", re.MULTILINE)
_FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4",
    "uint": "u4", "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4",
    "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
_POINTS = "vertex"


class _Element(NamedTuple):
    """A kind of things in a file.

    Attributes
    ----------
    name : str
    number : int
        How many.
    properties : dict of str to str
        The NumPy type of each, without the order of bytes; empty for a list.
    """

    name: str
    number: int
    properties: dict[str, str]


def read(
    data: NDArray[np.uint8], wanted: Sequence[str], path: PathLike
) -> list[Column]:
    """Return properties of the vertices.

    Parameters
    ----------
    data, path
        As `birdview.pixels.readers.npy.read`.
    wanted : sequence of str
        Names of properties.

    Returns
    -------
    list of ndarray, shape (N,)

    Raises
    ------
    ValueError
        If this is no such file, is cut short, or has no such property.
    """
    order, elements, size = _parse_header(data, path)
    body = data[size:]
    number = _find_points(elements, path)
    for element in elements[: number + 1]:
        lists = [name for name, kind in element.properties.items() if not kind]
        if lists:
            raise ValueError(
                f"{path}: {element.name} has the list {lists[0]}, expected single "
                f"numbers in {_POINTS} and before it"
            )
    points = elements[number]
    is_last = number == len(elements) - 1
    before = elements[:number]
    names = [*points.properties]
    columns: NDArray[Any] | dict[str, Column]
    if order:
        skipped = sum(one.number * _record(one, order).itemsize for one in before)
        columns = _read_binary(body, skipped, points, order, is_last, path)
    else:
        skipped = sum(one.number for one in before)
        text = Text(body, skipped, points.number, is_last)
        numbers = parse_lines(text, names, [*points.properties.values()], path)
        columns = dict(zip(names, numbers, strict=True))
    return pick(wanted, names, columns.__getitem__, path)


def list_columns(data: NDArray[np.uint8], path: PathLike) -> list[str]:
    """Return the names of the properties of vertices that are numbers.

    Parameters and errors are those of `read`.
    """
    _, elements, _ = _parse_header(data, path)
    points = elements[_find_points(elements, path)]
    return [name for name, kind in points.properties.items() if kind]


def _find_points(elements: Sequence[_Element], path: PathLike) -> int:
    number = next((k for k, one in enumerate(elements) if one.name == _POINTS), None)
    if number is None:
        names = ", ".join(element.name for element in elements)
        raise ValueError(
            f"{path}: elements {names or 'of no kind'} found, expected {_POINTS}"
        )
    return number


def _record(element: _Element, order: str) -> np.dtype[Any]:
    return np.dtype([(name, order + t) for name, t in element.properties.items()])


def _parse_header(
    data: NDArray[np.uint8], path: PathLike
) -> tuple[str, list[_Element], int]:
    """Return the order of bytes, none for text; the elements; and the header's size."""
    head = data[:_HEAD].tobytes()
    end = _END.search(head)
    if not re.match(rb"ply[ \t]*\r?\n", head) or not end:
        raise ValueError(
            f"{path}: {name_start(data)} found, expected a PLY file with a whole header"
        )
    order, elements = None, list[_Element]()
    for line in head[: end.start()].decode("latin-1").splitlines()[1:]:
        match line.split():
            case [] | ["comment" | "obj_info", *_]:
                continue
            case ["format", name, "1.0"] if name in _FORMATS:
                order = _FORMATS[name]
            case ["element", name, count] if re.fullmatch("[0-9]{1,18}", count):
                elements.append(_Element(name, int(count), {}))
            case ["property", "list", _, _, name] if elements:
                elements[-1].properties[name] = ""
            case ["property", kind, name] if (
                elements and kind in _TYPES and name not in elements[-1].properties
            ):
                elements[-1].properties[name] = _TYPES[kind]
            case _:
                raise ValueError(
                    f"{path}: {line[:80]!r} in the header, expected a format, an "
                    f"element with its number, or a property with type and name"
                )
    if order is None:
        raise ValueError(
            f"{path}: no format in the header, expected one of {', '.join(_FORMATS)}"
        )
    return order, elements, end.end()


def _read_binary(
    body: NDArray[np.uint8],
    skipped: int,
    points: _Element,
    order: str,
    is_last: bool,
    path: PathLike,
) -> NDArray[Any]:
    record = _record(points, order)
    expected = points.number * record.itemsize
    left = body.size - skipped
    if left < expected or (is_last and left > expected):
        raise ValueError(
            f"{path}: {max(0, left)} bytes found for {points.number} points of "
            f"{record.itemsize} bytes, expected {expected}"
        )
    if not expected:
        return np.empty(points.number, record)
    return body[skipped : skipped + expected].view(record)
