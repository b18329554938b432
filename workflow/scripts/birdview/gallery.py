"""Galleries: a page for the browser on which one sees all images of a data set.

The page works from the file system, where a browser lets no script read the pixels of a
picture. So each image is written once more, as a script that hands its bytes over.
"""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from matplotlib import colormaps

from birdview.image import as_planes
from birdview.legend import describe_grid
from birdview.manifest import examine_image
from birdview.picture import GAMMA, choose_colours, make_picture
from birdview.raster import Counts
from birdview.scan import read_scan

PARTS = Path(__file__).parents[2] / "gallery"
"""The folder of what the page is made of."""
SHEET, SMALL = 32, 96
"""Small pictures in a file, side by side, and the pixels of the side of one."""
QUALITY = 80
"""Of the small pictures: per cent, of WebP."""
COLOUR_MAP = "inferno"
"""Of a single plane: perceptually uniform, and black where nothing is."""


def write_gallery(folder, images, layout, threads, refused=MappingProxyType({})):
    """Write the page, `index.html`, and beside it what it loads when that is shown.

    Parameters
    ----------
    folder : path-like
        An empty folder.
    images : list of (path-like, path-like, Encoding, str)
        The file of a scan, of its image, the encoding and the name of the scan: all
        scans for one encoding, and the same scans for the next.
    layout : Layout
    threads : int
    refused : mapping of str to str
        Why there are no images of some more scans, by their names.

    Returns
    -------
    int
        How many images there are not.

    Raises
    ------
    OSError
        If something cannot be written. An image that cannot be shown, or whose scan
        cannot be rendered, is on the page with its error.
    """
    scans = list(dict.fromkeys(scan for *_, scan in images))
    missing = 0
    encodings = [images[k][2] for k in range(0, len(images), len(scans))]
    with ThreadPoolExecutor(threads) as pool:
        for number, encoding in enumerate(encodings):
            place = Path(folder) / encoding.name
            place.mkdir()
            those = images[number * len(scans) : (number + 1) * len(scans)]
            sheets = range(0, len(those), SHEET)
            shown = pool.map(
                lambda k: _write_sheet(place, k, those[k : k + SHEET], layout),  # noqa: B023
                sheets,
            )
            counts = [count for sheet in shown for count in sheet]
            counts += refused.values()
            missing += sum(isinstance(count, str) for count in counts)
            _hand_over(place / "counts.js", "counts", encoding.name, counts)
    _write_page(Path(folder) / "index.html", [*scans, *refused], encodings)
    return missing


def _write_sheet(place, first, images, layout):
    """Write what is loaded of some images; return their counts, or their errors."""
    sheet = np.zeros((SMALL, SHEET * SMALL, 3), dtype=np.uint8)
    results = []
    for k, (scan, image, encoding, _) in enumerate(images):
        try:
            content = Path(image).read_bytes()
            _, counts, pixels = examine_image(content, image, encoding)
        except (OSError, ValueError) as error:
            results.append(_explain(error, scan, layout))
            continue
        planes = as_planes(pixels, len(encoding.channels))
        picture = make_picture(planes, encoding, SMALL)
        height, width, _ = picture.shape
        top, left = (SMALL - height) // 2, k * SMALL + (SMALL - width) // 2
        sheet[top : top + height, left : left + width] = picture
        data = b64encode(content).decode()
        _hand_over(place / f"{first + k}.js", "image", encoding.name, first + k, data)
        results.append(counts)
    _, data = cv2.imencode(
        ".webp", sheet[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    )
    (place / f"{first // SHEET}.webp").write_bytes(data)
    return results


def _explain(error, scan, layout):
    """Say why there is no image: what is wrong with its scan, if something is."""
    try:
        read_scan(scan, layout)
    except (MemoryError, OSError, ValueError) as cause:
        return str(cause)
    return "not rendered yet" if isinstance(error, FileNotFoundError) else str(error)


def _hand_over(path, *arguments):
    """Write a script that calls the page's function for what is loaded."""
    words = ", ".join(json.dumps(argument, allow_nan=False) for argument in arguments)
    path.write_text(f"birdview.receive({words});\n")


def _write_page(path, scans, encodings):
    data = {
        "scans": scans,
        "counts": Counts._fields,
        "sheet": SHEET,
        "gamma": GAMMA,
        "map": (255 * colormaps[COLOUR_MAP](np.arange(256))[:, :3])
        .round()
        .astype(int)
        .tolist(),
        "encodings": [
            describe_grid(encoding) | {"colours": choose_colours(encoding.channels)}
            for encoding in encodings
        ],
    }
    # Within a page, < might begin a tag.
    data = json.dumps(data, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )
    page = (PARTS / "index.html").read_text(encoding="utf-8")
    # The data last: a scan may be called like a mark.
    for mark, text in (
        ("/* style.css */", (PARTS / "style.css").read_text(encoding="utf-8")),
        ("/* gallery.js */", (PARTS / "gallery.js").read_text(encoding="utf-8")),
        ("/* data */", f"const DATA = {data};"),
    ):
        page = page.replace(mark, text)
    path.write_text(page, encoding="utf-8")
