"""The index of a data set, boxes.json: its scans by split, and the boxes of each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from birdview.files import PathLike
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import Layout
from birdview.training.masks import Masks
from birdview.training.selection import Target

NAME = "boxes.json"


def describe_dataset(
    encoding: Encoding,
    layout: Layout,
    classes: Mapping[str, Any],
    suffix: str,
    splits: Mapping[str, Mapping[str, Sequence[Target]]],
    masks: Masks | None = None,
) -> dict[str, Any]:
    """Return the index of a data set, ready for JSON.

    Parameters
    ----------
    encoding : Encoding
    layout : Layout
    classes : mapping
        Of boxes, as the settings have them; none if there are masks alone.
    suffix : str
        How the names of its images end.
    splits : mapping of str to mapping of str to sequence of Target
        The boxes of each scan of each split.
    masks : Masks, optional

    Returns
    -------
    dict
        ``splits`` has a list for each scan. Of each box, ``corners`` are x and y in
        metres in the frame of the image, ``pixels`` the same as row and column; the
        first two are the front. ``z`` is the bottom, ``heading`` in radians.
    """
    rows, cols, _ = encoding.shape
    return {
        "encoding": encoding.name,
        "encoding_sha256": encoding.digest,
        "layout_sha256": layout.digest,
        "suffix": suffix,
        "channels": [channel.name for channel in encoding.channels],
        "rows": rows,
        "cols": cols,
        "to_metres": encoding.grid.affine_inverse.tolist(),
        "classes": dict(classes),
        **({"masks": _describe_masks(masks)} if masks else {}),
        "splits": {
            name: {scan: [*map(_describe, targets)] for scan, targets in scans.items()}
            for name, scans in splits.items()
        },
    }


def _describe_masks(masks: Masks) -> dict[str, Any]:
    return {
        "encoding": masks.encoding.name,
        "encoding_sha256": masks.encoding.digest,
        "classes": masks.classes.names,
    }


def _describe(target: Target) -> dict[str, Any]:
    box = target.box
    return {
        "class": target.name,
        "kind": box.kind,
        "corners": box.corners[:, :2].round(4).tolist(),
        "pixels": target.outline.round(4).tolist(),
        "z": round(box.bottom, 4),
        "height": round(box.height, 4),
        "heading": round(box.heading, 6),
        "points": target.points,
        "line": box.line,
    }


def read_index(folder: PathLike) -> dict[str, Any]:
    """Read the index of a data set in a folder.

    Raises
    ------
    OSError
        If there is none, or it cannot be read.
    ValueError
        If it is not one of this version.
    """
    path = Path(folder, NAME)
    try:
        index = json.loads(path.read_bytes())
        if not isinstance(index, dict) or not isinstance(index["splits"], dict):
            raise ValueError
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: no such file, expected a data set of `snakemake dataset`"
        ) from None
    except (KeyError, ValueError):
        raise ValueError(
            f"{path}: no index of a data set, expected one of `snakemake dataset`"
        ) from None
    return index
