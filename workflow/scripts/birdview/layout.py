"""Layouts: what one point is in the files of a sensor or a data set."""

from math import inf
from typing import NamedTuple

import numpy as np

INTENSITIES = "intensity", "reflectance"
TYPES = (
    *("float32", "float64", "float16"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
)


class Field(NamedTuple):
    """A number of the record.

    Attributes
    ----------
    name : str
        ``x``, ``y``, ``z``, one of `INTENSITIES`, or anything, which is not used.
    type : str
        The NumPy type, in the file little endian.
    divisor : float
        By which the number is divided: metres, or an intensity of 0 to 1, result.
    """

    name: str
    type: str
    divisor: float = 1.0


class Layout(NamedTuple):
    """What one point is in a file, with nothing between it and the next.

    Attributes
    ----------
    name : str
        Of a layout that is not this package's: all of its fields.
    fields : tuple of Field
    suffix : str
        How the names of the files end.
    """

    name: str
    fields: tuple[Field, ...]
    suffix: str = ".bin"

    @property
    def record(self):
        """The NumPy type of a record; its fields are named f0, f1 and so on."""
        return np.dtype(
            ",".join(f"<{np.dtype(field.type).str[1:]}" for field in self.fields)
        )

    @property
    def columns(self):
        """Where x, y, z and the intensity are in the record; None for no intensity."""
        places = {field.name: place for place, field in enumerate(self.fields)}
        intensity = [places[name] for name in INTENSITIES if name in places]
        return places["x"], places["y"], places["z"], *(intensity or [None])

    def __str__(self):
        """Say what was assumed of a file, for messages."""
        names = [
            f"-{field.name}" if field.divisor < 0 else field.name
            for field in self.fields
        ]
        return f"layout {self.name}: {', '.join(names)}"


def _parse(name, fields, suffix=".bin"):
    """Make a layout of pairs such as ``-y``, ``float32/255``."""
    return Layout(name, tuple(_parse_field(*field) for field in fields), suffix)


def _parse_field(name, kind):
    number, slash, divisor = kind.partition("/")
    number, sign = number.strip(), -1 if name.startswith("-") else 1
    try:
        divisor = sign * float(divisor) if slash else sign
    except ValueError:
        divisor = 0
    if number not in TYPES or not 0 < abs(divisor) < inf:
        raise ValueError(
            f"layout: {name}: {kind}, expected one of {', '.join(TYPES)}, or one and a "
            f"divisor, as uint16/65535"
        )
    return Field(name.removeprefix("-"), number, float(divisor))


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
"""The layouts that are known by name."""


def find_layout(wanted):
    """Return a layout by its name, or one of the user's own.

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
    >>> layout = find_layout([{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
    ...                       {"intensity": "uint16/65535"}, {"ring": "uint8"}])
    >>> layout.record.itemsize
    15
    """
    if isinstance(wanted, Layout):
        return wanted
    if isinstance(wanted, str):
        if wanted not in LAYOUTS:
            raise ValueError(f"unknown layout {wanted}: known are {', '.join(LAYOUTS)}")
        return LAYOUTS[wanted]
    pairs = [pair for field in wanted for pair in field.items()]
    layout = _parse(", ".join(f"{name} {kind}" for name, kind in pairs), pairs)
    names = [field.name for field in layout.fields]
    for name in "xyz":
        if names.count(name) != 1:
            raise ValueError(f"layout: {names.count(name)} fields {name}, expected one")
    if sum(names.count(name) for name in INTENSITIES) > 1:
        raise ValueError(f"layout: several {' or '.join(INTENSITIES)}, expected one")
    return layout
