"""Layers of boxes that the gallery draws on images: labels and predictions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib import colormaps

from birdview.files import PathLike
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import Layout
from birdview.training import yolo
from birdview.training.index import read_index
from birdview.training.predictions import match_files
from birdview.view.boxes import COLOURS
from birdview.view.picture import Colour

_OTHER_COLOURS = "Set3"
"""Light colours, for classes that have none in `COLOURS`."""
_OF_LABELS = "class", "kind", "pixels", "z", "height", "heading", "points"

Boxes: TypeAlias = list[dict[str, Any]]
"""Of each box the `class` and the `pixels`: four corners as (row, col). Of a label also
`kind`, `z`, `height`, `heading` and `points`, and its front is first; of a prediction
the `score`, if there is one."""


class Layer(NamedTuple):
    """The boxes of the images of an encoding.

    Attributes
    ----------
    name : str
        ``labels`` or ``predictions``.
    classes : list of str
    read : function
        Returns the boxes of a scan by its name, or None if they are not known. It
        raises OSError or ValueError if they cannot be read.
    """

    name: str
    classes: list[str]
    read: Callable[[str], Boxes | None]


def find_layers(
    dataset: PathLike,
    encoding: Encoding,
    layout: Layout,
    classes: Sequence[str],
    predictions: PathLike | None,
    scans: Collection[str],
    tell: Callable[[str], None],
) -> list[Layer]:
    """Find the boxes of the images of an encoding.

    Parameters
    ----------
    dataset : path-like
        The folder of the encoding's data set, which need not exist.
    encoding : Encoding
    layout : Layout
    classes : sequence of str
        Those of predictions, in order, if there is no data set.
    predictions : path-like or None
        A folder of text files, as Ultralytics writes them.
    scans : collection of str
        Those of the run.
    tell : function
        Is told why the boxes of a data set are not shown.

    Raises
    ------
    OSError, ValueError
        If the data set's index cannot be read, or `predictions` is no folder of files
        that each belong to one of the scans.
    """
    layers, index = [], None
    with suppress(FileNotFoundError):
        index = read_index(dataset)
    if index and index["classes"]:  # it may have masks alone
        classes = [*index["classes"]]
        made_of = index["encoding_sha256"], index["layout_sha256"]
        if made_of == (encoding.digest, layout.digest):
            layers.append(_layer_of_labels(index, classes))
        else:
            tell(
                f"{dataset}: its boxes are not shown: the encoding or the layout has "
                f"changed since it was made; make it again with `snakemake dataset`"
            )
    if predictions is not None:
        files = match_files(predictions, scans)
        layers.append(_layer_of_predictions(files, classes, encoding))
    return layers


def _layer_of_labels(index: Mapping[str, Any], classes: list[str]) -> Layer:
    scans: dict[str, Boxes] = {}
    for members in index["splits"].values():
        scans |= members

    def read(scan: str) -> Boxes | None:
        if scan not in scans:
            return None
        return [{key: box[key] for key in _OF_LABELS} for box in scans[scan]]

    return Layer("labels", classes, read)


def _layer_of_predictions(
    files: Mapping[str, PathLike], classes: Sequence[str], encoding: Encoding
) -> Layer:
    def read(scan: str) -> Boxes | None:
        if scan not in files:  # nothing was found, or nothing was looked for
            return None
        found = yolo.read_predictions(files[scan], classes, encoding.grid.shape)
        return [
            {"class": one.name, "pixels": one.outline.round(4).tolist()}
            | ({} if one.score is None else {"score": one.score})
            for one in found
        ]

    return Layer("predictions", [*classes], read)


def check_grids(encodings: Sequence[Encoding]) -> None:
    """Raise ValueError if predictions would be elsewhere in the images of some."""
    if len({encoding.grid for encoding in encodings}) > 1:
        names = ", ".join(encoding.name for encoding in encodings)
        raise ValueError(
            f"predictions: encodings {names} with different grids, expected the one "
            f"whose images they are of: 'encodings=[{encodings[0].name}]'"
        )


def colour_classes(names: Sequence[str]) -> dict[str, Colour]:
    """Return a colour for each class: that of the pictures with boxes, or another."""
    colour_map = colormaps[_OTHER_COLOURS]
    palette = (255 * colour_map(np.arange(colour_map.N))[:, :3]).round().astype(int)
    others = cycle([(red, green, blue) for red, green, blue in palette.tolist()])
    return {name: COLOURS[name] if name in COLOURS else next(others) for name in names}
