"""Write the gallery: a page for the browser that shows all images of a data set.

It works from the file system, where browsers do not let scripts read the pixels of a
picture. So each image is written again, as a script that passes its bytes to the page,
and the boxes of its scan.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import cv2
import numpy as np
from matplotlib import colormaps

from birdview import paths
from birdview.counts import Counts
from birdview.files import PathLike
from birdview.image import ImageFile, Inflate, as_planes
from birdview.metadata import describe_grid
from birdview.pixels.assembly import FOUND
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.png import text_in_front
from birdview.reproduce.manifest import examine_image
from birdview.view.layers import Layer, colour_classes
from birdview.view.picture import GAMMA, choose_colours, make_picture

SPRITE_SIZE = 32
"""Thumbnails in one file, side by side."""
THUMBNAIL = 96
"""Pixels of a thumbnail's side."""
QUALITY = 80
"""Of the thumbnails: per cent, of WebP."""
COLOUR_MAP = "inferno"
"""For a single plane: perceptually uniform, and black where there is nothing."""

_Result: TypeAlias = Counts | str
"""The counts of an image, or why it is missing."""


def write_gallery(
    folder: PathLike,
    images: Sequence[ImageFile],
    explain: Callable[[ImageFile], str],
    inflate: Inflate,
    threads: int,
    invalid: Mapping[str, str] = MappingProxyType({}),
    doubts: Mapping[tuple[str, str], str] = MappingProxyType({}),
    find_layers: Callable[[Encoding], Sequence[Layer]] = lambda _: (),
    palette: Classes | None = None,
) -> int:
    """Write the page, `index.html`, and the files it loads when images are shown.

    Parameters
    ----------
    folder : path-like
        An empty folder.
    images : sequence of ImageFile
        One encoding after the other, each with the same scans.
    explain : function
        Returns what is wrong with the scan of an image, or "" if nothing is. Called for
        images that cannot be shown.
    inflate : function
        For `birdview.image.decode_image`.
    threads : int
    invalid : mapping of str to str
        The names of further scans, and why they have no images.
    doubts : mapping of (str, str) to str
        What is doubtful about images, by the names of encoding and scan.
    find_layers : function
        Returns the layers of boxes of an encoding's images.
    palette : Classes, optional
        The classes of class maps.

    Returns
    -------
    int
        Number of missing images; the page shows the error of each.

    Raises
    ------
    OSError
        If a file cannot be written.
    OSError, ValueError
        If a layer cannot be read.
    """
    missing = 0
    scans: list[str] = []
    encodings: list[Encoding] = []
    layers: dict[str, None] = {}
    classes: dict[str, None] = {}
    with ThreadPoolExecutor(threads) as pool:
        for name, group in groupby(images, lambda image: image.encoding.name):
            files = list(group)
            found = find_layers(files[0].encoding)
            layers |= dict.fromkeys(layer.name for layer in found)
            classes |= dict.fromkeys(one for layer in found for one in layer.classes)
            results = _write_images(
                pool, Path(folder) / name, files, explain, inflate, found, palette
            )
            results += invalid.values()
            missing += sum(isinstance(result, str) for result in results)
            warnings = {
                number: doubts[name, image.scan]
                for number, image in enumerate(files)
                if (name, image.scan) in doubts
            }
            data = {"results": results, "warnings": warnings}
            _write_script(Path(folder) / name / "counts.js", "counts", name, data)
            scans = [image.scan for image in files]
            encodings.append(files[0].encoding)
    page, described = Path(folder) / "index.html", []
    for encoding in encodings:
        colours = {"colours": choose_colours(encoding.channels)}
        described.append(describe_grid(encoding, palette) | colours)
    _write_page(page, [*scans, *invalid], described, layers, classes)
    return missing


def _write_images(
    pool: ThreadPoolExecutor,
    folder: Path,
    images: Sequence[ImageFile],
    explain: Callable[[ImageFile], str],
    inflate: Inflate,
    layers: Sequence[Layer],
    palette: Classes | None,
) -> list[_Result]:
    """Write the data and the thumbnails of the images of one encoding."""
    folder.mkdir()

    def write(first: int) -> list[_Result]:
        batch = images[first : first + SPRITE_SIZE]
        return _write_sprite(folder, first, batch, explain, inflate, layers, palette)

    batches = pool.map(write, range(0, len(images), SPRITE_SIZE))
    return [result for batch in batches for result in batch]


def _write_sprite(
    folder: Path,
    first: int,
    images: Sequence[ImageFile],
    explain: Callable[[ImageFile], str],
    inflate: Inflate,
    layers: Sequence[Layer],
    palette: Classes | None,
) -> list[_Result]:
    """Write the data of some images and their thumbnails; number the images on."""
    sprite = np.zeros((THUMBNAIL, SPRITE_SIZE * THUMBNAIL, 3), dtype=np.uint8)
    results: list[_Result] = []
    for k, image in enumerate(images):
        name, number = image.encoding.name, first + k
        try:
            content = Path(image.path).read_bytes()
            _, counts, pixels = examine_image(
                content, image.path, image.encoding, inflate
            )
        except (OSError, ValueError) as error:
            is_missing = isinstance(error, FileNotFoundError)
            reason = "not rendered yet" if is_missing else str(error)
            results.append(explain(image) or reason)
            continue
        planes = as_planes(pixels, len(image.encoding.channels))
        picture = make_picture(planes, image.encoding, THUMBNAIL, palette=palette)
        height, width, _ = picture.shape
        top, left = (THUMBNAIL - height) // 2, k * THUMBNAIL + (THUMBNAIL - width) // 2
        sprite[top : top + height, left : left + width] = picture
        data = {
            "png": b64encode(content).decode(),
            "boxes": {layer.name: layer.read(image.scan) for layer in layers},
            "found": _list_found(text_in_front(BytesIO(content), image.path)),
        }
        _write_script(folder / f"{number}.js", "image", name, number, data)
        results.append(counts)
    quality = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    _, webp = cv2.imencode(".webp", sprite[..., ::-1], quality)
    (folder / f"{first // SPRITE_SIZE}.webp").write_bytes(webp.tobytes())
    return results


def _list_found(text: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return of what an image is made, and of how much: ("sweeps", "3 of 5")."""
    return [
        (keyword.removeprefix("birdview:"), text[keyword])
        for keyword in FOUND
        if keyword in text
    ]


def _write_script(path: Path, *arguments: object) -> None:
    """Write a script that passes data to the page."""
    words = ", ".join(json.dumps(argument, allow_nan=False) for argument in arguments)
    path.write_text(f"birdview.receive({words});\n")


def _write_page(
    path: Path,
    scans: list[str],
    encodings: list[dict[str, Any]],
    layers: Iterable[str],
    classes: Iterable[str],
) -> None:
    """Put the files that `index.html` names, and the data, into one page."""
    colours = (255 * colormaps[COLOUR_MAP](np.arange(256))[:, :3]).round().astype(int)
    data = {
        "scans": scans,
        "counts": Counts._fields,
        "spriteSize": SPRITE_SIZE,
        "gamma": GAMMA,
        "colourMap": colours.tolist(),
        "layers": [*layers],
        "classes": [*colour_classes([*classes]).items()],
        "encodings": encodings,
    }
    # In a page, < may start a tag.
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    script = f"const DATA = {text};".replace("<", "\\u003c")

    def content(mark: re.Match[str]) -> str:
        return script if mark[1] == "data" else _read(mark[1])

    # In one pass, because the name of a scan may look like a mark.
    page = re.sub(r"/\* (data|\S+\.(?:css|js)) \*/", content, _read("index.html"))
    path.write_text(page, encoding="utf-8")


def _read(name: str) -> str:
    return (paths.GALLERY / name).read_text(encoding="utf-8").rstrip("\n")
