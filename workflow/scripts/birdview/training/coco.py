"""Labels in the format of COCO: polygons and upright boxes, in pixels."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from birdview.training.selection import Target


def describe_split(
    files: Mapping[str, str],
    targets: Mapping[str, Sequence[Target]],
    names: Sequence[str],
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Return the labels of a split, ready for JSON.

    Parameters
    ----------
    files : mapping of str to str
        The image of each scan, below the folder of the labels.
    targets : mapping of str to sequence of Target
        Of each scan.
    names : sequence of str
        The classes in order; their numbers start with 1, as COCO's do.
    shape : (int, int)
        The rows and columns of an image.
    """
    rows, cols = shape
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    numbers = {name: number for number, name in enumerate(names, start=1)}
    for image, (scan, file) in enumerate(files.items(), start=1):
        images.append({"id": image, "file_name": file, "width": cols, "height": rows})
        for target in targets[scan]:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": numbers[target.name],
                    **_describe(target),
                }
            )
    return {
        "images": images,
        "categories": [{"id": numbers[name], "name": name} for name in names],
        "annotations": annotations,
    }


def _describe(target: Target) -> dict[str, Any]:
    y, x = target.outline.T.tolist()
    left, top = min(x), min(y)
    # Half the cross product of the diagonals.
    area = abs((x[2] - x[0]) * (y[3] - y[1]) - (x[3] - x[1]) * (y[2] - y[0])) / 2
    box = target.box
    return {
        "bbox": _rounded(left, top, max(x) - left, max(y) - top),
        "area": round(area, 3),
        "segmentation": [_rounded(*chain.from_iterable(zip(x, y, strict=True)))],
        "iscrowd": 0,
        "heading": round(box.heading, 6),
        "z": round(box.bottom, 4),
        "height": round(box.height, 4),
        "kind": box.kind,
        "line": box.line,
    }


def _rounded(*numbers: float) -> list[float]:
    return [round(number, 3) for number in numbers]
