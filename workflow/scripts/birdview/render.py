"""Rendering: the file of a scan becomes the file of an image."""

import hashlib
import os
import threading
from contextlib import contextmanager
from pathlib import Path

from birdview.layout import find_layout
from birdview.png import Canvas
from birdview.provenance import describe
from birdview.raster import Raster
from birdview.scan import decode_scan, load

_kept = threading.local()


def render(scan, image, encoding, layout="kitti"):
    """Render one scan to one PNG.

    Safe in several threads at once, in each of which the work arrays are kept from scan
    to scan. The image appears under its name when it is complete, not before.

    Parameters
    ----------
    scan, image : path-like
        The file to read and the file to write, in a folder that exists.
    encoding : Encoding
        How points become pixels.
    layout : str, Layout or list of mapping
        The record layout of the scan, for `birdview.layout.find_layout`.

    Returns
    -------
    Counts
        What became of the points.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ValueError
        If the scan's bytes cannot be points; the message names the file.
    MemoryError
        If the scan or its image does not fit.
    """
    content, counts = make_image(scan, encoding, layout)
    write(image, content)
    return counts


def make_image(scan, encoding, layout="kitti"):
    """Make the image of one scan, as `render` does, in memory.

    Returns
    -------
    content : bytes
        Of a PNG file.
    counts : Counts

    Raises
    ------
    OSError
        If the scan cannot be read.
    ValueError
        If its bytes cannot be points.
    MemoryError
        If the scan or its image does not fit.
    """
    layout = find_layout(layout)
    data = load(scan)
    try:
        points = decode_scan(data, layout, scan)
        canvas, raster = _kept_for(encoding)
        _, counts = raster.draw(points)
        # Of the bytes that were drawn: the file may be another one by now.
        digest = hashlib.sha256(data).hexdigest()
        return canvas.encode(describe(encoding, layout.name, digest, counts)), counts
    except MemoryError as error:
        vars(_kept).clear()  # half drawn, they would show in the next image
        raise MemoryError(f"{scan}: out of memory: {error}") from None


def _kept_for(encoding):
    kept = vars(_kept).setdefault("arrays", {})  # of this thread
    if encoding not in kept:
        canvas = Canvas(encoding.shape)
        kept[encoding] = canvas, Raster(encoding, canvas.planes)
    return kept[encoding]


@contextmanager
def whole(path):
    """Give a name for a file, which gets its own when it is complete, not before."""
    # The name is short, since that of the image may be as long as names can be.
    partial = Path(path).parent / f".{os.getpid()}-{threading.get_ident()}.partial"
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        # What a full disk says has no name.
        if error.errno is None or error.filename not in (None, str(partial)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        partial.unlink(missing_ok=True)


def write(path, content):
    """Write a file that appears under its name when it is complete, not before."""
    with whole(path) as partial:
        partial.write_bytes(content)
