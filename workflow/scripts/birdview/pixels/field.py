"""Fields: the numbers of a point in a file, and what they stand for."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.pixels.schema import suggest

COORDINATES = "x", "y", "z"
INTENSITIES = "intensity", "reflectance", "reflectivity", "i"
PADDING = "_"
"""The name of bytes without a meaning; the only one that may occur more than once."""
TYPES = (
    *("float32", "float64", "float16"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
)

_ALIASES = {"float": "float32", "double": "float64"} | {
    np.dtype(name).str[1:]: name for name in TYPES
}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_UNIT = (
    rf"\s*(?:(?P<scale>[*/])\s*(?P<by>{_NUMBER}))?"
    rf"\s*(?P<offset>[-+]\s*(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)?"
)
_KIND = re.compile(rf"(?P<type>\w+){_UNIT}", flags=re.IGNORECASE)
_COLUMN = re.compile(
    rf"(?P<sign>-?)\s*(?P<column>\S|\S.*?\S){_UNIT}", flags=re.IGNORECASE
)
_LOOKALIKES = {
    axis: {
        axis,
        f"pos{axis}",
        f"p{axis}",
        f"{axis}m",
        f"{axis}pos",
        f"point{axis}",
        f"points{axis}",
        f"pointsmxyz{number}",
    }
    for number, axis in enumerate(COORDINATES)
} | {
    "intensity": {
        *INTENSITIES,
        *(f"scalar{name}" for name in INTENSITIES),
        *("intensities", "refl", "reflectances", "remission", "remissions"),
    }
}
"""Names in small letters, without other signs, that programs give to these fields."""


class Field(NamedTuple):
    """One number of each point.

    It stands for ``sign * (stored / divisor * factor + offset)``.

    Attributes
    ----------
    name : str
        One of `COORDINATES`, one of `INTENSITIES`, `PADDING`, or any other name, which
        `keep` and `drop` may use.
    type : str
        The NumPy type in a record; empty in files that say themselves what they hold.
    sign : int
        1 or -1.
    divisor, factor, offset : float
        They give metres, or an intensity from 0 to 1.
    column : str
        What the file calls it; empty in records.
    """

    name: str
    type: str
    sign: int = 1
    divisor: float = 1.0
    factor: float = 1.0
    offset: float = 0.0
    column: str = ""

    @property
    def is_as_stored(self) -> bool:
        """Whether it stands for the stored number itself, or for that with a minus."""
        return self[3:6] == (1.0, 1.0, 0.0)

    def convert(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """Return what stored numbers stand for; never the same array."""
        values: NDArray[np.float64] = np.divide(stored, self.divisor, dtype=np.float64)
        if self.factor != 1:
            values *= self.factor
        if self.offset != 0:
            values += self.offset
        return np.negative(values, out=values) if self.sign < 0 else values

    def __str__(self) -> str:
        """Return it as settings have it, however they write it."""
        scale = f"/{self.divisor:.15g}" if self.divisor != 1 else ""
        scale += f"*{self.factor:.15g}" if self.factor != 1 else ""
        scale += f"{self.offset:+.15g}" if self.offset != 0 else ""
        if self.column:
            sign = "-" if self.sign < 0 else ""
            return f"{self.name} {sign}{self.column}{scale}"
        return f"{self.label} {self.type}{scale}"

    @property
    def label(self) -> str:
        """The name with its sign; the column, if it has a name of its own."""
        if self.column not in ("", self.name):
            return f"{self.name} = {'-' if self.sign < 0 else ''}{self.column}"
        return f"-{self.name}" if self.sign < 0 else self.name


def parse_field(name: str, kind: str) -> Field:
    """Make a field of a pair such as ``-y`` and ``int16/1000``.

    Raises
    ------
    ValueError
        If they are not those of a field.
    """
    kind = str(kind)  # yaml takes a bare number for one
    found = _KIND.fullmatch(kind.strip())
    words = found.groupdict() if found else {"type": kind}
    if words["type"] not in TYPES:
        meant = suggest(_ALIASES.get(words["type"], words["type"]), TYPES)
        raise ValueError(
            f"{name}: {kind}{meant}, expected one of "
            f"{', '.join(TYPES)}, with a divisor or a factor and an offset if it needs "
            f"them, such as uint16/65535 or uint16*0.005-100"
        )
    sign = -1 if name.startswith("-") else 1
    unit = _parse_unit(words, f"{name}: {kind}")
    return Field(name.removeprefix("-"), words["type"], sign, *unit)


def parse_column(name: str, column: str | float) -> Field:
    """Make a field of a pair such as ``intensity`` and ``reflectivity/255``.

    For files that name their columns, or have them in a fixed order: then `column` has
    a number, from 0.

    Raises
    ------
    ValueError
        If they are not those of a field.
    """
    if isinstance(column, float) and column == 0:
        column = f"{column:.0f}"  # which may be -0
    found = _COLUMN.fullmatch(str(column).strip())
    if name.startswith("-") or not found:
        raise ValueError(
            f"{name}: {column}, expected the name of a column, with a - in front, a "
            f"divisor or a factor and an offset if it needs them, such as -y or "
            f"reflectivity/255"
        )
    words = found.groupdict()
    unit = _parse_unit(words, f"{name}: {column}")
    return Field(name, "", -1 if words["sign"] else 1, *unit, words["column"])


def _parse_unit(
    words: Mapping[str, str | None], where: str
) -> tuple[float, float, float]:
    """Return divisor, factor and offset."""
    by, scale = float(words["by"] or 1), words["scale"]
    if not isfinite(by) or by == 0:
        raise ValueError(f"{where}, expected another number than 0 after {scale}")
    offset = float((words["offset"] or "0").replace(" ", ""))
    if not isfinite(offset):
        raise ValueError(f"{where}, expected a finite offset")
    # Not -0.0, which is another text in a digest.
    return (
        by if scale == "/" else 1.0,
        by if scale == "*" else 1.0,
        offset + 0.0,
    )


def meaning_of(name: str) -> str:
    """Return the coordinate that a name looks like, or ``intensity``; or nothing."""
    letters = re.sub("[^a-z0-9]", "", name.lower())
    return next((key for key, words in _LOOKALIKES.items() if letters in words), "")


def check_names(names: list[str]) -> None:
    """Check the names of a record's fields.

    Raises
    ------
    ValueError
        If they are not those of a point: a coordinate is missing, a name occurs twice,
        or a field looks like a coordinate or an intensity, and would not be used.
    """
    for name in names:
        meant = meaning_of(name)
        if meant and name not in (*COORDINATES, *INTENSITIES):
            raise ValueError(
                f"{name} looks like {meant}, but would not be used, expected the name "
                f"{meant}; or another one, such as unused_{name}"
            )
    for name in COORDINATES:
        if name not in names:
            raise ValueError(f"no field {name}, expected one, in {', '.join(names)}")
    intensities = [name for name in names if name in INTENSITIES]
    if len(set(intensities)) > 1:
        raise ValueError(
            f"{' and '.join(intensities)} are given, expected one of them; name those "
            f"that are not to be used otherwise, such as unused_{intensities[-1]}"
        )
    for name in names:
        if name != PADDING and names.count(name) > 1:
            raise ValueError(f"{names.count(name)} fields {name}, expected one")
