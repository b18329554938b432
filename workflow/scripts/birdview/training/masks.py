"""The masks of data sets: class maps, on the same pixels as the images."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from birdview.pixels.channel import Channel
from birdview.pixels.classes import NO_CLASS, Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.recipe import CLASS
from birdview.pixels.schema import suggest

MASKS = "masks"
"""The folder of all masks: YOLO puts this word in place of that of the images."""
CLASSES_JSON = "classes.json"
_STATISTICS = "majority", "at_max", "priority"
"""Those that are the class of some point, and so can be drawn as its number."""
_TOLERANCE = 1e-6  # of a pixel


class Masks(NamedTuple):
    """The masks of a run.

    Attributes
    ----------
    encoding : Encoding
        That of the class maps.
    classes : Classes
    """

    encoding: Encoding
    classes: Classes


def shows_classes(channel: Channel) -> bool:
    """Whether a plane holds the numbers of classes."""
    return (
        channel.of == CLASS
        and channel.statistic in _STATISTICS
        and channel.limits == (0, 255)
    )


def choose_masks(
    name: str | None, encodings: Mapping[str, Encoding], classes: Classes | None
) -> Masks | None:
    """Return the masks that the setting `dataset: masks` names.

    Parameters
    ----------
    name : str or None
        That of an encoding; None for data sets without masks.
    encodings : mapping of str to Encoding
        Those of the run, by name.
    classes : Classes or None
        Those of the points; None if no encoding shows them.

    Raises
    ------
    ValueError
        If there is no such encoding, or its images are no masks of the others.
    """
    if name is None:
        return None
    where = f"dataset: masks: {name}"
    if name not in encodings:
        raise ValueError(
            f"{where}: no encoding of this run{suggest(name, encodings)}, expected one "
            f"of {', '.join(encodings)}"
        )
    encoding = encodings[name]
    if len(encoding.channels) != 1:
        raise ValueError(
            f"{where}: {len(encoding.channels)} planes, expected one with the numbers "
            f"of classes, as semantic has it"
        )
    (channel,) = encoding.channels
    if not shows_classes(channel):
        raise ValueError(
            f"{where}: {channel.name} shows no numbers of classes, expected a "
            f"statistic of them as they are: {{statistic: majority, of: {CLASS}, "
            f"range: [0, 255]}}; or {' or '.join(_STATISTICS[1:])}"
        )
    if encoding.background != NO_CLASS:
        raise ValueError(
            f"{where}: background: {encoding.background}, expected {NO_CLASS}, which "
            f"trainers ignore: {encoding.background} is a class"
        )
    if classes is None:
        raise ValueError(
            f"{where}: {CLASS} is a field of the layout, whose numbers have no names, "
            f"expected labels of points: point_labels with a map"
        )
    others = [one for one in encodings.values() if one is not encoding]
    if not others:
        raise ValueError(
            f"{where}: the only encoding of this run, expected others, whose images "
            f"the masks are for: 'encodings=[mv3d,{name}]'"
        )
    for other in others:
        if not _has_same_pixels(encoding, other):
            raise ValueError(
                f"{where}: {_describe_grid(encoding)}, but {other.name} has "
                f"{_describe_grid(other)}, expected the same of all encodings"
            )
    return Masks(encoding, classes)


def _has_same_pixels(one: Encoding, other: Encoding) -> bool:
    """Whether each pixel is at the same place in the images of two encodings."""
    return one.grid.shape == other.grid.shape and np.allclose(
        one.grid.affine, other.grid.affine, rtol=0, atol=_TOLERANCE
    )


def _describe_grid(encoding: Encoding) -> str:
    rows, cols = encoding.grid.shape
    signs = ["" if axis.ascending else "-" for axis in encoding.grid]
    names = ["xy"[axis.column] for axis in encoding.grid]
    cells = [f"{axis.cell:.6g}" for axis in encoding.grid]
    x, y = encoding.x, encoding.y
    return (
        f"{rows} x {cols} cells of {' x '.join(cells)} m (rows {signs[0]}{names[0]}, "
        f"cols {signs[1]}{names[1]}) of x {x.min:g} to {x.max:g} and y {y.min:g} to "
        f"{y.max:g}"
    )


def describe_masks(masks: Masks) -> str:
    """Return what the masks are, in a few words."""
    names = masks.classes.names
    classes = f"{len(names)} class{'es' * (len(names) != 1)}"
    return f"{masks.encoding.name}, with {classes} of {masks.classes.name}"


def format_classes(classes: Classes) -> bytes:
    """Return the names and colours of classes as JSON.

    MMSegmentation takes it as the `metainfo` of a data set.
    """
    lines = [
        f'  "classes": {json.dumps(classes.names)}',
        f'  "palette": {json.dumps(classes.colours)}',
        f'  "ignore_index": {NO_CLASS}',
        '  "reduce_zero_label": false',
    ]
    return "{{\n{}\n}}\n".format(",\n".join(lines)).encode()
