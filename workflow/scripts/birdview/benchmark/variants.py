"""The implementations that the benchmark compares, step by step.

Each is called with the path of a scan and, if it writes a file, the path of an image.
What a step needs from the one before it is made at the first call and kept, so that a
second call takes no longer than the step. The others are compared with the first.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias

import cv2
import numpy as np

from birdview.benchmark.baselines import (
    Pixels,
    Points,
    read_16_bytes,
    read_at_once,
    read_peeking,
    sort_mv3d,
    sort_notebook,
)
from birdview.benchmark.reference import LOOPS
from birdview.files import write_atomically
from birdview.pixels.canvas import Canvas
from birdview.pixels.encoding import load_encoding
from birdview.pixels.raster import Raster
from birdview.pixels.render import Renderer
from birdview.pixels.scan import read_bytes, read_scan

Draw: TypeAlias = Callable[[Points], Pixels]
Variants: TypeAlias = dict[str, Callable[..., Any]]

LOOP, SORT, OURS, FLOOR = "notebook's loop", "NumPy + OpenCV", "birdview", "floor"

encoding_of = cache(load_encoding)
points_of = cache(read_scan)


@cache
def raster_of(name: str) -> Raster:
    return Raster(encoding_of(name))


@cache
def renderer_of(name: str) -> Renderer:
    return Renderer(encoding_of(name))


@cache
def planes_to_clear(name: str) -> Pixels:
    return np.ones(encoding_of(name).shape, dtype=np.uint8)


@cache
def canvas_of(scan: str, name: str) -> Canvas:
    canvas = Canvas(encoding_of(name).shape)
    Raster(encoding_of(name), canvas.planes).draw(points_of(scan))
    return canvas


@cache
def image_of(scan: str, name: str) -> Pixels:
    return np.ascontiguousarray(canvas_of(scan, name).planes[..., ::-1])


READERS: Variants = {
    "notebook: peek, read 16 bytes": read_peeking,
    "notebook: read 16 bytes": read_16_bytes,
    "np.fromfile": read_at_once,
    OURS: read_scan,
}


def draw_with(draw: Draw, scan: str) -> Pixels:
    return draw(points_of(scan))


def draw_with_raster(name: str, scan: str) -> Pixels:
    planes, _ = raster_of(name).draw(points_of(scan))
    return planes[..., ::-1]


SORTS = {"notebook": sort_notebook, "mv3d": sort_mv3d}
RASTERISERS: dict[str, Variants] = {
    name: {
        LOOP: partial(draw_with, LOOPS[name]),
        "NumPy, sorted": partial(draw_with, SORTS[name]),
        OURS: partial(draw_with_raster, name),
    }
    for name in SORTS
}


def encode_with_opencv(name: str, scan: str, image: str) -> None:
    cv2.imwrite(image, image_of(scan, name))


def encode_with_canvas(name: str, scan: str, image: str) -> None:
    write_atomically(image, canvas_of(scan, name).encode({}))


ENCODERS: dict[str, Variants] = {
    name: {
        "cv2.imwrite": partial(encode_with_opencv, name),
        OURS: partial(encode_with_canvas, name),
    }
    for name in SORTS
}


def render_with(
    draw: Draw, read: Callable[[str], Points], scan: str, image: str
) -> None:
    cv2.imwrite(image, draw(read(scan)))


def render_with_renderer(name: str, scan: str, image: str) -> None:
    renderer_of(name).render(scan, image)


def render_floor(name: str, scan: str, image: str) -> None:
    """Read the file, clear a raster, deflate an image, write it, and nothing else."""
    read_bytes(scan)
    planes_to_clear(name).fill(0)
    write_atomically(image, canvas_of(scan, name).encode({}))


RENDERERS: dict[str, Variants] = {
    name: {
        LOOP: partial(render_with, LOOPS[name], read_16_bytes),
        SORT: partial(render_with, SORTS[name], read_at_once),
        OURS: partial(render_with_renderer, name),
        FLOOR: partial(render_floor, name),
    }
    for name in SORTS
}

ENCODINGS: dict[str, Variants] = {
    name: {
        LOOP: partial(render_with, loop, read_16_bytes),
        OURS: partial(render_with_renderer, name),
    }
    for name, loop in LOOPS.items()
}
