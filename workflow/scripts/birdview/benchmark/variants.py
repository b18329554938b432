"""The implementations that the benchmark compares, step by step.

Each is called with the path of a scan and, if it writes a file, the path of an image.
What a step needs from the one before it is made at the first call and kept, so that a
second call takes no longer than the step. The others are compared with the first.
"""

from collections.abc import Callable, Iterator
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
    sort_complex_yolo,
    sort_mv3d,
    sort_notebook,
)
from birdview.benchmark.reference import LOOPS
from birdview.files import write_atomically
from birdview.pixels.assembly import assemble_scan
from birdview.pixels.drawing import Drawing
from birdview.pixels.encoding import load_encoding
from birdview.pixels.layout import load_layout
from birdview.pixels.plotter import Plotter
from birdview.pixels.raster import Raster
from birdview.pixels.render import Renderer, ScanRenderer
from birdview.pixels.scan import read_bytes, read_scan

Draw: TypeAlias = Callable[[Points], Pixels]
Variants: TypeAlias = dict[str, Callable[..., Any]]

KITTI = load_layout("kitti")
LOOP, SORT, OURS, FLOOR = "notebook's loop", "NumPy + OpenCV", "birdview", "floor"
PEER, PEERS_ENCODING = "SFA3D's algorithm", "complex_yolo"

encoding_of = cache(load_encoding)
points_of = cache(read_scan)


@cache
def raster_of(name: str) -> Raster:
    return Raster(encoding_of(name))


@cache
def renderer_of(name: str) -> Renderer:
    return Renderer(encoding_of(name))


@cache
def scan_renderer() -> ScanRenderer:
    return ScanRenderer()


@cache
def drawing_of(scan: str, name: str) -> Drawing:
    drawing, _, _ = Plotter(encoding_of(name)).draw(points_of(scan))
    return drawing


@cache
def image_of(scan: str, name: str) -> Pixels:
    planes, _ = raster_of(name).draw(points_of(scan))
    return np.ascontiguousarray(planes[..., ::-1])


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


def encode_drawing(name: str, scan: str, image: str) -> None:
    write_atomically(image, drawing_of(scan, name).encode({}))


ENCODERS: dict[str, Variants] = {
    name: {
        "cv2.imwrite": partial(encode_with_opencv, name),
        OURS: partial(encode_drawing, name),
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
    """Read the file, deflate an image, write it, and nothing else."""
    read_bytes(scan)
    write_atomically(image, drawing_of(scan, name).encode({}))


RENDERERS: dict[str, Variants] = {
    name: {
        LOOP: partial(render_with, LOOPS[name], read_16_bytes),
        SORT: partial(render_with, SORTS[name], read_at_once),
        OURS: partial(render_with_renderer, name),
        FLOOR: partial(render_floor, name),
    }
    for name in SORTS
}
RENDERERS[PEERS_ENCODING] = {
    PEER: partial(render_with, sort_complex_yolo, read_at_once),
    OURS: partial(render_with_renderer, PEERS_ENCODING),
    FLOOR: partial(render_floor, PEERS_ENCODING),
}

ENCODINGS: dict[str, Variants] = {
    name: {
        LOOP: partial(render_with, loop, read_16_bytes),
        OURS: partial(render_with_renderer, name),
    }
    for name, loop in LOOPS.items()
}


SEVERAL = "notebook", "mv3d", "pixor"
"""The encodings of one scan that are rendered together."""


def make_images(scan: str) -> Iterator[bytes]:
    """Make the images of a scan in several encodings, as a job of the workflow does."""
    encodings = [encoding_of(name) for name in SEVERAL]
    assembly = assemble_scan(scan, KITTI)
    for content, _ in scan_renderer().make_images(assembly, encodings):
        yield content


def render_singly(scan: str, image: str) -> None:
    for name in SEVERAL:
        renderer_of(name).render(scan, f"{image.removesuffix('.png')}-{name}.png")


def render_together(scan: str, image: str) -> None:
    for name, content in zip(SEVERAL, make_images(scan), strict=True):
        write_atomically(f"{image.removesuffix('.png')}-{name}.png", content)


TOGETHER: Variants = {
    "three jobs, birdview": render_singly,
    "one job, birdview": render_together,
}
