"""Say what a data set has, and what was left out and why: for its README and people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from birdview.pixels.classes import NO_CLASS
from birdview.pixels.encoding import Encoding
from birdview.training.masks import CLASSES_JSON, MASKS, Masks
from birdview.training.selection import REASONS, Target
from birdview.training.yolo import IMAGES

_README = """\
# A data set to train on, made by birdview

Bird's-eye-view images of LiDAR scans, and {labels}.
Encoding {encoding}: {rows} x {cols} pixels, {planes}.

{table}
{left_out}| file | what it is |
| --- | --- |
| `images/<split>/` | {images} |
{files}
Channels are measurements and no colours: a trainer must not change colours (in
Ultralytics, set `hsv_h=0 hsv_s=0 hsv_v=0`), and should keep the size of the images
(`imgsz={side}`). To turn and to mirror a map is fine: `degrees`, `fliplr`, `flipud`.
{masks}"""
_YOLO = """\
| `data.yaml`, `labels/<split>/` | for YOLO with oriented boxes, of Ultralytics |
"""
_BOXES = """\
| `coco_<split>.json` | the boxes as polygons, for what reads COCO; {more} |
| `boxes.json` | the boxes in metres and in pixels, for `birdview.Images` |
"""
_NO_BOXES = """\
| `boxes.json` | the scans of each split, for `birdview.Images` |
"""
_MASKS = f"""\
| `{MASKS}/<split>/` | the mask of each image: a grey PNG of the same name and size |
| `{CLASSES_JSON}` | names and colours of the classes, for MMSegmentation's `metainfo` |
"""
_YOLO_MASKS = f"""\
| `{MASKS}.yaml` | for YOLO with masks (`yolo semantic`), of Ultralytics |
"""
_ABOUT_MASKS = f"""
Masks hold the numbers of classes, as encoding {{encoding}} shows them, and {NO_CLASS}
for none, which a trainer must ignore: `ignore_index={NO_CLASS}`. No class is to be left
out: `reduce_zero_label=False`. To shrink or to turn a mask, take the nearest pixel.
Colours are red, green and blue.

| number | class | colour |
| ---: | --- | --- |
{{classes}}
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
        The classes of boxes; none if the data set is of masks alone.
    targets : mapping of str to mapping of str to sequence of Target
        The boxes of each scan of each split.
    left_out : Counter of (str, str)
        How many boxes of a kind were left out, for each of `REASONS`.
    masks : Masks or None
    has_yolo_labels, has_yolo_masks : bool
        Whether there are files for YOLO with oriented boxes, and with masks.
    """

    encoding: Encoding
    suffix: str
    names: Sequence[str]
    targets: Mapping[str, Mapping[str, Sequence[Target]]]
    left_out: Counter[tuple[str, str]]
    masks: Masks | None
    has_yolo_labels: bool
    has_yolo_masks: bool

    @property
    def has_boxes(self) -> bool:
        """Whether it is one of boxes, although there may be none."""
        return bool(self.names)

    def image(self, split: str, scan: str) -> str:
        """Return the path of an image below the folder of the data set."""
        return f"{IMAGES}/{split}/{scan}{self.suffix}"

    def mask(self, split: str, scan: str) -> str:
        """Return the path of a mask below the folder of the data set."""
        return f"{MASKS}/{split}/{scan}.png"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Scans, scans without an object, and boxes of each class, in each split."""
        rows: list[tuple[str, ...]] = [("", *self.targets)]
        splits = self.targets.values()
        empty = [sum(not targets for targets in scans.values()) for scans in splits]
        rows.append(("scans", *(f"{len(scans):,}" for scans in splits)))
        if not self.has_boxes:
            return rows
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

    def format_readme(self) -> str:
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
        left_out = left_out if lines else "No box was left out."
        labels, files, about_masks = [], "", ""
        if self.has_boxes:
            labels.append("the boxes of objects in them")
            files += _YOLO if self.has_yolo_labels else ""
            files += _BOXES.format(more="also heading, z, height and line of the label")
        else:
            files += _NO_BOXES
        if self.masks:
            labels.append("masks with the class of each pixel")
            files += _MASKS + (_YOLO_MASKS if self.has_yolo_masks else "")
            about_masks = _describe_masks(self.masks)
        return _README.format(
            labels=", and ".join(labels),
            encoding=self.encoding.name,
            rows=height,
            cols=width,
            planes=planes,
            table="\n".join([head, rule, *rows, ""]),
            left_out=f"{left_out}\n\n" if self.has_boxes else "",
            images=images,
            files=files,
            side=-(-max(height, width) // 32) * 32,
            masks=about_masks,
        )


def _describe_masks(masks: Masks) -> str:
    rows = [
        f"| {number} | {name} | {', '.join(map(str, colour))} |"
        for number, (name, colour) in enumerate(
            zip(masks.classes.names, masks.classes.colours, strict=True)
        )
    ]
    return _ABOUT_MASKS.format(encoding=masks.encoding.name, classes="\n".join(rows))
