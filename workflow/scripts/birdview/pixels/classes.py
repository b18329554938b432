"""Classes: what the labels of single points stand for, as a yaml file says."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from birdview import paths
from birdview.files import PathLike
from birdview.pixels.schema import load_yaml

MAX_CLASSES = 255
"""An image has a byte for a class."""

NO_CLASS = 255
"""What a cell of an image has in place of the number of a class."""


class Classes(NamedTuple):
    """What the labels of single points stand for.

    Attributes
    ----------
    name : str
    names : tuple of str
        Of the classes, by their numbers from 0.
    colours : tuple of tuple of three int
        Red, green and blue of each class, from 0 to 255.
    numbers : tuple of tuple of two int
        Pairs of a label and the number of its class, by label.
    ignored : tuple of int
        Labels that are no class, sorted.
    """

    name: str
    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    numbers: tuple[tuple[int, int], ...]
    ignored: tuple[int, ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """All labels that there may be, sorted."""
        return tuple(sorted([*dict(self.numbers), *self.ignored]))

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that decides pixels: no names and no colours."""
        return _digest(self)


@cache
def _digest(classes: Classes) -> str:
    content = [classes.numbers, classes.ignored]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def load_classes(name: PathLike) -> Classes:
    """Load a built-in table of classes by its name, or any other by its path.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no built-in table of this name.
    ValueError
        If the file does not fit the schema, there are more than 255 classes, a class or
        a label occurs twice, or a colour is none; the message names the file and the
        key.

    Examples
    --------
    >>> classes = load_classes("semantickitti")
    >>> classes.names[dict(classes.numbers)[252]]
    'car'
    """
    path, settings = load_yaml(name, "class table", paths.CLASSES, schema="classes")
    entries = settings["classes"]
    if len(entries) > MAX_CLASSES:
        raise ValueError(
            f"{path}: classes: {len(entries)} classes, expected {MAX_CLASSES} at most: "
            f"in an image, {NO_CLASS} stands for no class"
        )
    names = tuple(entry["name"] for entry in entries)
    for one in names:
        if names.count(one) > 1:
            raise ValueError(
                f"{path}: classes: {names.count(one)} classes {one}, expected one"
            )
    lists = {f"classes: {entry['name']}": entry["labels"] for entry in entries}
    _check_labels({"ignore": settings["ignore"], **lists}, path)
    numbers = [
        (label, number)
        for number, entry in enumerate(entries)
        for label in entry["labels"]
    ]
    return Classes(
        name=path.stem,
        names=names,
        colours=tuple(_colour(entry, path) for entry in entries),
        numbers=tuple(sorted(numbers)),
        ignored=tuple(sorted(settings["ignore"])),
    )


def _check_labels(lists: Mapping[str, Sequence[int]], path: PathLike) -> None:
    """Raise ValueError at a label that occurs twice in the lists, which are by key."""
    key_of: dict[int, str] = {}
    for key, labels in lists.items():
        for label in labels:
            if label in key_of:
                other = f"and in {key_of[label]}" if key_of[label] != key else "twice"
                raise ValueError(
                    f"{path}: {key}: label {label} is here {other}, expected each "
                    f"label once"
                )
            key_of[label] = key


def _colour(entry: Mapping[str, Any], path: PathLike) -> tuple[int, int, int]:
    colour = entry["colour"]
    if len(colour) != 3 or not all(0 <= value <= 255 for value in colour):
        raise ValueError(
            f"{path}: classes: {entry['name']}: colour: {colour}, expected three "
            f"numbers from 0 to 255: red, green, blue"
        )
    red, green, blue = colour
    return red, green, blue
