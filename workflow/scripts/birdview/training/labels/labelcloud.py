"""Read labels of labelCloud in its format centroid_abs, a JSON file for each scan."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, radians
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birdview.pixels.frame import Frame
from birdview.training.labels.box import Box, make_boxes, turn

_EXPECTED = "expected labelCloud's format centroid_abs"


@dataclass(frozen=True)
class LabelCloud:
    """Labels of labelCloud: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        That of a JSON file for each scan.
    """

    folder: str
    below: ClassVar[str] = ""
    pattern: ClassVar[str] = "*.json"
    expected: ClassVar[str] = "labelCloud's .json files"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the file of a scan's labels."""
        return (f"{self.folder}/{scan}.json",)

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan.

        Raises
        ------
        OSError
            If the file is missing or cannot be read.
        ValueError
            If it is not in this format, or a box has no size or does not stand upright;
            the message has the number of the object, counted from 1.
        """
        (path,) = self.files(scan)
        objects = _read_objects(path)
        numbers = range(1, 1 + len(objects))
        found = [
            _check_object(one, f"{path}: object {number}")
            for number, one in zip(numbers, objects, strict=True)
        ]
        return make_boxes(
            [name for name, _, _ in found],
            [values for _, values, _ in found],
            turn(np.array([heading for _, _, heading in found])),
            frame,
            numbers,
            f"{path}: object",
        )


def _read_objects(path: str) -> list[Any]:
    try:
        content = json.loads(Path(path).read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text, expected JSON") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}: line {error.lineno}: {error.msg}, expected JSON"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}, expected JSON") from None
    if isinstance(content, list):
        is_foreign = content and isinstance(content[0], dict) and "psr" in content[0]
        found = "a list with psr, which is SUSTechPOINTS'" if is_foreign else "a list"
        raise ValueError(f"{path}: {found}, {_EXPECTED}")
    objects = content.get("objects") if isinstance(content, dict) else None
    if not isinstance(objects, list):
        raise ValueError(f"{path}: no list of objects, {_EXPECTED}")
    return objects


def _check_object(found: Any, where: str) -> tuple[str, list[float], float]:
    """Return an object's class, its position and size, and its heading in radians."""
    if not isinstance(found, dict):
        raise ValueError(f"{where}: {json.dumps(found)[:40]}, {_EXPECTED}")
    if "vertices" in found:
        raise ValueError(f"{where}: vertices, which is another format, {_EXPECTED}")
    name = found.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{where}: no name, expected the object's class")
    position = _numbers(found, "centroid", ("x", "y", "z"), where)
    size = _numbers(found, "dimensions", ("length", "width", "height"), where)
    rotations = _numbers(found, "rotations", ("x", "y", "z"), where)
    for axis, angle in zip("xyz", rotations, strict=True):
        if angle < 0:
            raise ValueError(
                f"{where}: rotation {axis} {angle:g}, which is the format "
                f"centroid_rel, {_EXPECTED}: 0 to 360 degrees"
            )
        if angle > 360:
            raise ValueError(
                f"{where}: rotation {axis} {angle:g}, expected 0 to 360 degrees"
            )
    x, y, z = rotations
    if x % 360 or y % 360:
        raise ValueError(
            f"{where}: rotations {x:g} and {y:g} about x and y, expected 0: an upright "
            f"box"
        )
    return name, [*position, *size], radians(z)


def _numbers(
    found: Mapping[str, Any], key: str, names: Sequence[str], where: str
) -> list[float]:
    values = found.get(key)
    if not isinstance(values, dict):
        raise ValueError(f"{where}: no {key}, {_EXPECTED}")
    numbers = []
    for name in names:
        value = values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(
                f"{where}: {key}: {name} is {json.dumps(value)[:40]}, expected a number"
            )
        # An integer may be beyond any float.
        if abs(value) > 1e300 or not isfinite(value):
            raise ValueError(
                f"{where}: {key}: {name} is {str(value)[:40]}, expected a finite number"
            )
        numbers.append(float(value))
    return numbers
