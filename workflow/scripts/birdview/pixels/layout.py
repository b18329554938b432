"""Layouts: what one point is in the files of a sensor or a data set."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple, TypeAlias

import numpy as np

MAX_RANGE = 100_000.0
"""Metres. No sensor sees so far: a larger coordinate is not a coordinate."""
INTENSITIES = "intensity", "reflectance"
TYPES = (
    *("float32", "float64", "float16"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
)


class Field(NamedTuple):
    """One number of a record.

    Attributes
    ----------
    name : str
        ``x``, ``y``, ``z``, one of `INTENSITIES`, or any other name, which is not used.
    type : str
        The NumPy type, little endian in the file.
    divisor : float
        Dividing by it gives metres, or an intensity from 0 to 1.
    """

    name: str
    type: str
    divisor: float = 1.0


class Layout(NamedTuple):
    """What one point is in a file of records without gaps.

    Attributes
    ----------
    name : str
        For a user's own layout: all of its fields.
    fields : tuple of Field
    suffix : str
        How file names end.
    """

    name: str
    fields: tuple[Field, ...]
    suffix: str = ".bin"

    @property
    def record(self) -> np.dtype[Any]:
        """The NumPy type of a record; its fields are named f0, f1 and so on."""
        return np.dtype(
            ",".join(f"<{np.dtype(field.type).str[1:]}" for field in self.fields)
        )

    @property
    def columns(self) -> tuple[int | None, ...]:
        """The fields of x, y, z and the intensity, by number; None for no intensity."""
        numbers = {field.name: number for number, field in enumerate(self.fields)}
        intensity = next(
            (numbers[name] for name in INTENSITIES if name in numbers), None
        )
        return numbers["x"], numbers["y"], numbers["z"], intensity

    def __str__(self) -> str:
        """Return what was assumed of a file, for error messages."""
        names = [
            f"-{field.name}" if field.divisor < 0 else field.name
            for field in self.fields
        ]
        return f"layout {self.name}: {', '.join(names)}"


LayoutLike: TypeAlias = str | Layout | Sequence[Mapping[str, str]]
"""What `load_layout` takes."""


def _parse(
    name: str, fields: Iterable[tuple[str, str]], suffix: str = ".bin"
) -> Layout:
    """Make a layout of pairs such as ``-y``, ``float32/255``."""
    return Layout(name, tuple(_parse_field(*field) for field in fields), suffix)


def _parse_field(name: str, kind: str) -> Field:
    number, slash, text = kind.partition("/")
    number = number.strip()
    try:
        divisor = float(text) if slash else 1.0
    except ValueError:
        divisor = 0.0
    if number not in TYPES or not 0 < abs(divisor) < inf:
        raise ValueError(
            f"layout: {name}: {kind}, expected one of {', '.join(TYPES)}, or one and a "
            f"divisor, such as uint16/65535"
        )
    sign = -1 if name.startswith("-") else 1
    return Field(name.removeprefix("-"), number, sign * divisor)


def _describe(field: Field) -> str:
    """Return a field as settings have it, however they write it."""
    name = f"-{field.name}" if field.divisor < 0 else field.name
    divisor = f"/{abs(field.divisor):.15g}" if abs(field.divisor) != 1 else ""
    return f"{name} {field.type}{divisor}"


LAYOUTS = {
    layout.name: layout
    for layout in (
        _parse("kitti", [(name, "float32") for name in ("x", "y", "z", "reflectance")]),
        # nuScenes' sensor has x to the right and y ahead.
        _parse(
            "nuscenes",
            [
                ("-y", "float32"),
                ("x", "float32"),
                ("z", "float32"),
                ("intensity", "float32/255"),
                ("ring", "float32"),
            ],
            suffix=".pcd.bin",
        ),
        _parse(
            "waymo6",
            [
                (name, "float32")
                for name in ("x", "y", "z", "intensity", "elongation", "timestamp")
            ],
        ),
    )
}
"""The built-in layouts by name."""


def load_layout(wanted: LayoutLike) -> Layout:
    """Return a built-in layout by its name, or make one of fields.

    Parameters
    ----------
    wanted : str, Layout or list of mapping
        A name; or a layout, which is returned; or the fields of a record as the
        settings have them, each a mapping of its name to its type.

    Raises
    ------
    ValueError
        If there is no such name, or if the fields are not those of a point.

    Examples
    --------
    >>> layout = load_layout([{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
    ...                       {"intensity": "uint16/65535"}, {"ring": "uint8"}])
    >>> layout.record.itemsize
    15
    """
    if isinstance(wanted, Layout):
        return wanted
    if isinstance(wanted, str):
        if wanted not in LAYOUTS:
            raise ValueError(
                f"unknown layout {wanted}; choose from {', '.join(LAYOUTS)}"
            )
        return LAYOUTS[wanted]
    pairs = [pair for field in wanted for pair in field.items()]
    fields = tuple(_parse_field(*pair) for pair in pairs)
    layout = Layout(", ".join(map(_describe, fields)), fields)
    names = [field.name for field in layout.fields]
    for name in "xyz":
        if names.count(name) != 1:
            raise ValueError(f"layout: {names.count(name)} fields {name}, expected one")
    if sum(names.count(name) for name in INTENSITIES) > 1:
        raise ValueError(f"layout: several {' or '.join(INTENSITIES)}, expected one")
    return layout
