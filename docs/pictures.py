"""Draw docs/encodings.png: a scan in the built-in encodings, side by side.

    python docs/pictures.py                    # a scan of the demo
    python docs/pictures.py --scan 000001.bin

Forward is up in all pictures, whatever the order of rows and columns, which is said
above each. It needs envs/dev.txt.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from birdview.demo import write_scan  # noqa: E402
from birdview.image import read_image  # noqa: E402
from birdview.paths import ENCODINGS  # noqa: E402
from birdview.pixels.encoding import Encoding, load_encoding  # noqa: E402
from birdview.pixels.grid import Axis  # noqa: E402
from birdview.pixels.render import render  # noqa: E402
from birdview.view.marks import (  # noqa: E402
    BACKGROUND,
    GAP,
    MUTED,
    TEXT,
    draw_legend,
    draw_sensor,
    explain_colour,
    explain_scale,
    measure_line,
    measure_text,
    put_text,
)
from birdview.view.picture import (  # noqa: E402
    explain_colours,
    find_affine,
    make_large_picture,
)

PICTURE = ROOT / "docs" / "encodings.png"
SIDE, COLUMNS = 480, 4
"""Pixels of a picture, and pictures side by side."""
HEADER, LINES, SIZE = 34, 4, 14
"""Pixels above a picture; lines of the legend below it, and the size of its text."""
CELL = 0.1
"""Metres that a pixel shows, about: those of coarse encodings are enlarged."""
ENDS = {0: ("top", "bottom"), 1: ("left", "right")}
"""Of x and y, where the last and the first cell are on a picture."""


def draw_encodings(scan: Path) -> NDArray[np.uint8]:
    """Return the pictures of a scan in all encodings that need no labels of points."""
    encodings = [load_encoding(file) for file in sorted(ENCODINGS.glob("*.yaml"))]
    tiles = [draw_tile(scan, one) for one in encodings if not one.fields]
    blank = np.full_like(tiles[0], BACKGROUND)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    lines = [tiles[k : k + COLUMNS] for k in range(0, len(tiles), COLUMNS)]
    return np.vstack([np.hstack(line) for line in lines])


def draw_tile(scan: Path, encoding: Encoding) -> NDArray[np.uint8]:
    """Return the picture of a scan in one encoding, with its name and its legend."""
    with TemporaryDirectory() as folder:
        image = Path(folder, "image.png")
        render(scan, image, encoding)
        planes, _ = read_image(image)
    factor = max(1, round(min(axis.cell for axis in encoding.grid) / CELL))
    picture = make_large_picture(planes, encoding, factor * max(encoding.grid.shape))
    shape = picture.shape[0], picture.shape[1]
    draw_sensor(picture, encoding, 2 * SIZE)
    affine = find_affine(encoding, shape)
    # The sensor is in the middle, or as far down as the map begins.
    top, left = (
        int(np.clip(place - SIDE / 2, 0, length - SIDE))
        for place, length in zip(affine[:, 2], shape, strict=True)
    )
    legend = draw_legend(
        [
            explain_scale(-affine[1, 1], SIDE),
            *(explain_colour(*entry, SIZE) for entry in explain_colours(encoding)),
        ],
        SIDE,
        SIZE,
    )
    height = HEADER + SIDE + LINES * measure_line(SIZE)
    tile = np.full((height, GAP + SIDE, 3), BACKGROUND, dtype=np.uint8)
    tile[HEADER : HEADER + SIDE, GAP:] = picture[top : top + SIDE, left : left + SIDE]
    tile[HEADER + SIDE :][: len(legend), GAP:] = legend[: LINES * measure_line(SIZE)]
    put_text(tile, encoding.name, (GAP, 24), 18, TEXT, SIDE)
    rows, cols = encoding.grid
    order = f"row 0 {find_end(rows)}, column 0 {find_end(cols)}"
    right = GAP + SIDE - measure_text(order, SIZE)
    put_text(tile, order, (right, 24), SIZE, MUTED, SIDE)
    return tile


def find_end(axis: Axis) -> str:
    """Return where the first row or column of an image is on its picture."""
    return ENDS[axis.column][axis.ascending]


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--scan", type=Path, help="a scan of KITTI; else a simulated one"
    )
    scan = parser.parse_args().scan
    with TemporaryDirectory() as folder:
        if scan is None:
            scan = Path(folder, "000000.bin")
            write_scan(scan, 0, 0)
        cv2.imwrite(
            str(PICTURE),
            draw_encodings(scan)[..., ::-1],
            [cv2.IMWRITE_PNG_COMPRESSION, 9],
        )


if __name__ == "__main__":
    main()
