"""Layouts: what the points are in the files of a sensor or a data set."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from math import inf
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from birdview import paths
from birdview.files import PathLike
from birdview.pixels.choice import Among, Between, Choice, Rule
from birdview.pixels.field import (
    COORDINATES,
    INTENSITIES,
    PADDING,
    Field,
    check_names,
    parse_column,
    parse_field,
)
from birdview.pixels.frame import Frame, make_frame, to_frame
from birdview.pixels.schema import is_path, load_yaml, suggest

RECORDS = "bin"
"""The format of files that hold records, and nothing else."""

MAX_RANGE = 100_000.0
"""Metres. No sensor sees so far: a larger coordinate is not a coordinate."""


class Layout(NamedTuple):
    """What the points are in a file.

    Attributes
    ----------
    name : str
        For one in the settings: all of its fields.
    fields : tuple of Field
        The numbers of a record, in the order of the file; or some of those that a file
        of another format names.
    suffix : str
        How file names end.
    skip : int
        Bytes before the first record.
    endian : str
        ``little`` or ``big``.
    order : str
        ``records``, one after another; or ``fields``: the first number of all records,
        then the second, and so on.
    clip : bool
        Whether intensities above 1 become 1.
    frame : Frame
        What brings points to the axes and the height that encodings assume.
    choice : Choice
        Which points count.
    format : str
        ``bin`` for records; for any other, there is a module in `pixels.readers`, and
        `skip`, `endian` and `order` have no meaning.
    origin : tuple of three float
        What is subtracted from x, y and z, before they are rounded to float32.
    """

    name: str
    fields: tuple[Field, ...]
    suffix: str = ".bin"
    skip: int = 0
    endian: str = "little"
    order: str = "records"
    clip: bool = False
    frame: Frame = Frame()
    choice: Choice = Choice()
    format: str = RECORDS
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def is_records(self) -> bool:
        """Whether a file holds records, and nothing that says so."""
        return self.format == RECORDS

    @property
    def record(self) -> np.dtype[Any]:
        """The NumPy type of a record; its fields are named f0, f1 and so on."""
        types = (field.type for field in self.fields)
        record = np.dtype([(f"f{number}", kind) for number, kind in enumerate(types)])
        return record.newbyteorder(">" if self.endian == "big" else "<")

    def names(self, field: str) -> bool:
        """Whether one of the fields that count has a name."""
        return any(one.name == field != PADDING for one in self.fields)

    @property
    def columns(self) -> tuple[int | None, ...]:
        """The fields of x, y, z and the intensity, by number; None for no intensity."""
        numbers = {field.name: number for number, field in enumerate(self.fields)}
        intensity = next(
            (numbers[name] for name in INTENSITIES if name in numbers), None
        )
        return numbers["x"], numbers["y"], numbers["z"], intensity

    @property
    def axes(self) -> Frame:
        """What brings points from the axes that the fields name to the file's own.

        Other files of a data set, such as poses, are in these: the coordinates of the
        file, in the order of its records or of the names of its columns.
        """
        fields = [
            self.fields[number] for number in self.columns[:3] if number is not None
        ]
        if not self.is_records:
            fields.sort(key=lambda field: (len(field.column), field.column))
        else:
            fields.sort(key=self.fields.index)
        a, b, c = (
            tuple(field.sign * float(field.name == axis) for axis in COORDINATES)
            for field in fields
        )
        return to_frame(np.array([[*row, 0.0] for row in (a, b, c)]) + 0.0)

    def digest_fields(self, names: Sequence[str]) -> str:
        """Return the SHA-256 of what decides the numbers of some fields."""
        return _digest_fields(self, tuple(names))

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that decides pixels: not the name, for example."""
        return _digest(self)

    def __str__(self) -> str:
        """Return what was assumed of a file, for error messages."""
        labels = ", ".join(field.label for field in self.fields)
        return f"layout {self.name}: {labels}"


LayoutLike: TypeAlias = PathLike | Layout | Sequence[Mapping[str, str]]
"""What `load_layout` takes."""


def load_layout(wanted: LayoutLike) -> Layout:
    """Load a layout: a built-in one by its name, another by its path, or fields.

    Parameters
    ----------
    wanted : path-like, Layout or list of mapping
        A name or a path; or a layout, which is returned; or the fields of a record as
        the settings have them, each a mapping of its name to its type.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no built-in layout of this name.
    ValueError
        If the file does not fit the schema, or the fields are not those of a point; the
        message names the file and the key.

    Examples
    --------
    >>> layout = load_layout([{"x": "float32"}, {"y": "float32"}, {"z": "float32"},
    ...                       {"intensity": "uint16/65535"}, {"ring": "uint8"}])
    >>> layout.record.itemsize
    15
    """
    if isinstance(wanted, Layout):
        return wanted
    if isinstance(wanted, str | os.PathLike):
        return _load(wanted) if is_path(wanted) else _load_built_in(str(wanted))
    fields = _fields(wanted, "layout")
    return Layout(", ".join(map(str, fields)), fields)


def check_suffix(suffix: str, where: str) -> str:
    """Return a suffix; raise ValueError if it is not one of file names."""
    if not re.fullmatch(r"\.[^/]+", suffix):
        raise ValueError(f"{where}: {suffix}, expected a dot in front, as in .bin")
    return suffix


@cache
def _load_built_in(name: str) -> Layout:
    return _load(name)


def _load(name: PathLike) -> Layout:
    path, settings = load_yaml(name, "layout", paths.LAYOUTS)
    kind = settings["format"]
    fields = _fields(settings["fields"], f"{path}: fields", kind)
    _check_keys_of_records(settings, path)
    suffix = settings["suffix"] or f".{kind}"
    x, y, z = settings["origin"]
    return Layout(
        name=path.stem,
        fields=fields,
        suffix=check_suffix(suffix, f"{path}: suffix"),
        **{key: settings[key] for key in ("skip", "endian", "order", "clip")},
        frame=make_frame(settings["frame"], f"{path}: frame"),
        choice=Choice(
            min_range=float(settings["min_range"]) + 0.0,
            keep=_rules(settings["keep"], fields, f"{path}: keep"),
            drop=_rules(settings["drop"], fields, f"{path}: drop"),
            without=_box(settings["without"], f"{path}: without"),
            drops_duplicates=settings["duplicates"] == "drop",
        ),
        format=kind,
        origin=(float(x) + 0.0, float(y) + 0.0, float(z) + 0.0),
    )


def _check_keys_of_records(settings: Mapping[str, Any], path: PathLike) -> None:
    for key, default in (("skip", 0), ("endian", "little"), ("order", "records")):
        if settings["format"] != RECORDS and settings[key] != default:
            raise ValueError(
                f"{path}: {key}: {settings[key]} with the format {settings['format']}, "
                f"expected it with the format {RECORDS} only: other files say this "
                f"themselves"
            )


def _fields(
    pairs: Sequence[Mapping[str, str]], where: str, kind: str = RECORDS
) -> tuple[Field, ...]:
    parse = parse_field if kind == RECORDS else parse_column
    try:
        fields = tuple(parse(*item) for pair in pairs for item in pair.items())
        check_names([field.name for field in fields])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return fields


def _rules(
    settings: Mapping[str, Any], fields: Sequence[Field], where: str
) -> tuple[Rule, ...]:
    names = [field.name for field in fields]
    rules = []
    for name, wanted in settings.items():
        if name not in names or name == PADDING:
            known = [one for one in names if one != PADDING]
            raise ValueError(
                f"{where}: {name}: no such field{suggest(name, known)}, expected one "
                f"of {', '.join(known)}"
            )
        number = names.index(name)
        values: Among | Between
        if isinstance(wanted, Mapping):
            values = _interval(wanted, f"{where}: {name}")
        else:
            values = Among(tuple(sorted(float(one) + 0.0 for one in wanted)))
        rules.append(Rule(number, values))
    return tuple(rules)


def _box(settings: Mapping[str, Any] | None, where: str) -> tuple[Between, ...] | None:
    if settings is None:
        return None
    return tuple(
        _interval(settings.get(axis, {}), f"{where}: {axis}") for axis in COORDINATES
    )


def _interval(settings: Mapping[str, float], where: str) -> Between:
    # Not -0.0, which is another text in a digest.
    low = float(settings.get("min", -inf)) + 0.0
    high = float(settings.get("max", inf)) + 0.0
    if low > high:
        raise ValueError(f"{where}: min {low:g} and max {high:g}, expected min <= max")
    return Between(low, high)


def _places(layout: Layout) -> list[list[Any]]:
    """Return what tells the numbers of each field: where they are, not its name."""
    if not layout.is_records:
        return [[field.column, *field[2:6]] for field in layout.fields]
    record = layout.record
    assert record.fields is not None
    return [
        [record.fields[f"f{number}"][1], *field[1:6]]
        for number, field in enumerate(layout.fields)
    ]


@cache
def _digest_fields(layout: Layout, names: tuple[str, ...]) -> str:
    places = {
        field.name: place
        for field, place in zip(layout.fields, _places(layout), strict=True)
    }
    content = json.dumps([places.get(name) for name in names])
    return hashlib.sha256(content.encode()).hexdigest()


@cache
def _digest(layout: Layout) -> str:
    # Unused fields, and all names, decide no pixel.
    choice, places = layout.choice, _places(layout)
    content = layout._replace(name="", suffix="")._asdict()
    if layout.is_records:
        content["record"] = layout.record.itemsize
        del content["format"]  # as before there were others
    if not any(layout.origin):
        del content["origin"]
    content |= {
        "fields": [
            None if number is None else places[number] for number in layout.columns
        ],
        "choice": choice._asdict()
        | {
            key: sorted([places[rule.field], rule.values] for rule in rules)
            for key, rules in (("keep", choice.keep), ("drop", choice.drop))
        },
    }
    if not choice.clearance:
        del content["choice"]["clearance"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
