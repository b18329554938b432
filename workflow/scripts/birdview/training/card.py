"""Say what a data set has, and what was left out and why: for its README and people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from birdview.pixels.encoding import Encoding
from birdview.training.selection import REASONS, Target
from birdview.training.yolo import IMAGES

_README = """\
# A data set to train on, made by birdview

Bird's-eye-view images of LiDAR scans, and the boxes of objects in them.
Encoding {encoding}: {rows} x {cols} pixels, {planes}.

{table}
{left_out}

| file | what it is |
| --- | --- |
| `images/<split>/` | {images} |
{yolo}| `coco_<split>.json` | the boxes as polygons, for what reads COCO; {more} |
| `boxes.json` | the boxes in metres and in pixels, for `birdview.Images` |

Channels are measurements and no colours: a trainer must not change colours (in
Ultralytics, set `hsv_h=0 hsv_s=0 hsv_v=0`), and should keep the size of the images
(`imgsz={side}`). To turn and to mirror a map is fine: `degrees`, `fliplr`, `flipud`.
"""
_YOLO = """\
| `data.yaml`, `labels/<split>/` | for YOLO with oriented boxes, of Ultralytics |
"""


def describe_left_out(
    left_out: Counter[tuple[str, str]], reasons: Mapping[str, str]
) -> list[str]:
    """Return a line for each reason why boxes were left out.

    Parameters
    ----------
    left_out : Counter of (str, str)
        How many boxes of a kind were left out, for each reason.
    reasons : mapping of str to str
        What each reason means.
    """
    lines = []
    for reason, meaning in reasons.items():
        kinds = {
            kind: count for (kind, why), count in left_out.items() if why == reason
        }
        if kinds:
            most = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
            found = ", ".join(f"{kind} {count:,}" for kind, count in most)
            total = sum(kinds.values())
            boxes = f"{total:,} box{'es' * (total != 1)}"
            lines.append(f"{boxes} {meaning}: {found}")
    return lines


class Card(NamedTuple):
    """What a data set has.

    Attributes
    ----------
    encoding : Encoding
    suffix : str
        How the names of its images end.
    names : sequence of str
        The classes.
    targets : mapping of str to mapping of str to sequence of Target
        The boxes of each scan of each split.
    left_out : Counter of (str, str)
        How many boxes of a kind were left out, for each of `REASONS`.
    """

    encoding: Encoding
    suffix: str
    names: Sequence[str]
    targets: Mapping[str, Mapping[str, Sequence[Target]]]
    left_out: Counter[tuple[str, str]]

    def image(self, split: str, scan: str) -> str:
        """Return the path of an image below the folder of the data set."""
        return f"{IMAGES}/{split}/{scan}{self.suffix}"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Scans, scans without an object, and boxes of each class, in each split."""
        rows: list[tuple[str, ...]] = [("", *self.targets)]
        splits = self.targets.values()
        empty = [sum(not targets for targets in scans.values()) for scans in splits]
        rows.append(("scans", *(f"{len(scans):,}" for scans in splits)))
        rows.append(("without an object", *(f"{count:,}" for count in empty)))
        counts = [
            Counter(one.name for targets in scans.values() for one in targets)
            for scans in splits
        ]
        for name in self.names:
            rows.append((name, *(f"{count[name]:,}" for count in counts)))
        return rows

    def format_table(self) -> list[str]:
        """Return the table for a terminal."""
        widths = [max(map(len, column)) for column in zip(*self.table, strict=True)]
        return [
            "  ".join([first.ljust(widths[0]), *map(str.rjust, cells, widths[1:])])
            for first, *cells in self.table
        ]

    def format_readme(self, *, has_labels: bool) -> str:
        """Return the README of the data set."""
        head, *rows = [f"| {' | '.join(cells)} |" for cells in self.table]
        rule = f"| --- |{' ---: |' * len(self.targets)}"
        height, width, count = self.encoding.shape
        names = ", ".join(channel.name for channel in self.encoding.channels)
        planes = f"{count} planes ({names})" if count > 1 else f"one plane ({names})"
        images = {
            ".png": "the images; red, green and blue are the planes in this order",
            ".tiff": "the planes of each image as pages in this order",
            ".npy": "the planes of each image, shape (planes, rows, cols)",
        }[self.suffix]
        lines = describe_left_out(self.left_out, REASONS)
        left_out = "\n".join(["Left out were", "", *(f"- {line}" for line in lines)])
        return _README.format(
            encoding=self.encoding.name,
            rows=height,
            cols=width,
            planes=planes,
            table="\n".join([head, rule, *rows, ""]),
            left_out=left_out if lines else "No box was left out.",
            images=images,
            more="also heading, z, height and line of the label",
            yolo=_YOLO if has_labels else "",
            side=-(-max(height, width) // 32) * 32,
        )
