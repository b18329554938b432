"""Ways to do each step from scan to image: the notebook's, with NumPy, and ours.

Each is called with the path of a scan and, where there is a file to write, that of an
image. What a step needs from the one before it is made when it is first asked for, and
kept: so a second call takes no longer than the step.
"""

from functools import cache, partial

import cv2
import numpy as np

from birdview.alternatives import (
    read_16_bytes,
    read_at_once,
    read_peeking,
    sort_mv3d,
    sort_notebook,
)
from birdview.encoding import load_encoding
from birdview.png import Canvas
from birdview.raster import Raster
from birdview.reference import LOOPS
from birdview.render import render, write
from birdview.scan import load, read_scan

LOOP, SORT, OURS, FLOOR = "notebook's loop", "NumPy + OpenCV", "birdview", "floor"

encoding_of = cache(load_encoding)
points_of = cache(read_scan)


@cache
def raster_of(name):
    return Raster(encoding_of(name))


@cache
def cleared_of(name):
    return np.ones(encoding_of(name).shape, dtype=np.uint8)


@cache
def canvas_of(scan, name):
    canvas = Canvas(encoding_of(name).shape)
    Raster(encoding_of(name), canvas.planes).draw(points_of(scan))
    return canvas


@cache
def image_of(scan, name):
    return np.ascontiguousarray(canvas_of(scan, name).planes[..., ::-1])


READERS = {
    "notebook: peek, read 16 bytes": read_peeking,
    "notebook: read 16 bytes": read_16_bytes,
    "np.fromfile": read_at_once,
    OURS: read_scan,
}


def draw_with(draw, scan):
    return draw(points_of(scan))


def draw_by_raster(name, scan):
    planes, _ = raster_of(name).draw(points_of(scan))
    return planes[..., ::-1]


SORTS = {"notebook": sort_notebook, "mv3d": sort_mv3d}
RASTERISERS = {
    name: {
        LOOP: partial(draw_with, LOOPS[name]),
        "NumPy, sorted": partial(draw_with, SORTS[name]),
        OURS: partial(draw_by_raster, name),
    }
    for name in SORTS
}


def encode_with_opencv(name, scan, image):
    cv2.imwrite(image, image_of(scan, name))


def encode_with_canvas(name, scan, image):
    write(image, canvas_of(scan, name).encode({}))


ENCODERS = {
    name: {
        "cv2.imwrite": partial(encode_with_opencv, name),
        OURS: partial(encode_with_canvas, name),
    }
    for name in SORTS
}


def render_with(draw, read, scan, image):
    cv2.imwrite(image, draw(read(scan)))


def render_here(name, scan, image):
    render(scan, image, encoding_of(name))


def render_nothing(name, scan, image):
    """Read the file, clear a raster, deflate an image, write it: the floor."""
    load(scan)
    cleared_of(name).fill(0)
    write(image, canvas_of(scan, name).encode({}))


RENDERERS = {
    name: {
        LOOP: partial(render_with, LOOPS[name], read_16_bytes),
        SORT: partial(render_with, SORTS[name], read_at_once),
        OURS: partial(render_here, name),
        FLOOR: partial(render_nothing, name),
    }
    for name in SORTS
}

ENCODINGS = {
    name: {
        LOOP: partial(render_with, loop, read_16_bytes),
        OURS: partial(render_here, name),
    }
    for name, loop in LOOPS.items()
}
