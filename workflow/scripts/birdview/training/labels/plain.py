"""Read boxes from plain text: one in a line, as `x y z dx dy dz heading class`.

They are in the axes of the scan, in metres. A heading is in radians, 0 along x, to the
left. Lines that start with # are comments.
"""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np

from birdview.pixels.frame import Frame
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.training.labels.box import Box, make_boxes, turn

_FIELDS = "x y z dx dy dz heading class"
_MAX_HEADING = 2 * pi + 0.001


@dataclass(frozen=True)
class Plain:
    """Boxes in plain text: see `birdview.training.labels.source.Format`.

    Attributes
    ----------
    folder : str
        That of a text file for each scan.
    origin : str
        What z is that of: the ``center`` of a box, or its ``bottom``.
    """

    folder: str
    origin: str
    below: ClassVar[str] = ""
    pattern: ClassVar[str] = "*.txt"
    expected: ClassVar[str] = "a .txt file for each scan"

    def files(self, scan: str) -> tuple[str, ...]:
        """Return the file of a scan's boxes."""
        return (f"{self.folder}/{scan}.txt",)

    def read(self, scan: str, frame: Frame) -> list[Box]:
        """Read the boxes of a scan.

        Raises
        ------
        OSError
            If the file is missing or cannot be read.
        ValueError
            If a line is not as expected, or a box has no size.
        """
        (path,) = self.files(scan)
        kinds, numbers, headings, lines = [], [], [], []
        for number, line in read_lines(path):
            words, where = line.split(), f"{path}: line {number}"
            if words[0].startswith("#"):
                continue
            if len(words) in (15, 16):
                raise ValueError(
                    f"{where}: {len(words)} words, which is KITTI's format, expected "
                    f"{_FIELDS}: set labels to {{format: kitti, path: ...}}"
                )
            if len(words) != 8:
                raise ValueError(
                    f"{where}: {len(words)} words, expected 8, separated by blanks: "
                    f"{_FIELDS}"
                )
            *position_and_size, heading = parse_numbers(words[:7], where)
            if abs(heading) > _MAX_HEADING:
                raise ValueError(
                    f"{where}: heading {heading:g}, expected radians, from -2 pi to "
                    f"2 pi"
                )
            kinds.append(words[7])
            numbers.append(position_and_size)
            headings.append(heading)
            lines.append(number)
        rotation = turn(np.array(headings))
        where = f"{path}: line"
        return make_boxes(kinds, numbers, rotation, frame, lines, where, self.origin)
