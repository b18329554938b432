"""Render the file of a scan to the file of an image."""

import hashlib

from birdview.counts import Counts
from birdview.files import PathLike, write_atomically
from birdview.pixels.canvas import Canvas
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import count_zero_bytes
from birdview.pixels.layout import LayoutLike, load_layout
from birdview.pixels.raster import Raster
from birdview.pixels.recipe import describe
from birdview.pixels.scan import decode_scan, read_bytes


class Renderer:
    """Renders one scan after another with the same encoding and layout.

    It keeps its work arrays from scan to scan. Not safe to share between threads.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    layout : str, path-like, Layout or list of mapping
        The layout of the scans, for `birdview.load_layout`.
    """

    def __init__(self, encoding: Encoding, layout: LayoutLike = "kitti") -> None:
        self._encoding, self._layout = encoding, load_layout(layout)
        self._canvas: Canvas | None = None
        self._raster: Raster

    def make_image(self, scan: PathLike) -> tuple[bytes, Counts]:
        """Render a scan in memory.

        Returns
        -------
        content : bytes
            A PNG file.
        counts : Counts
            What happened to the points.

        Raises
        ------
        OSError
            If the scan cannot be read.
        ValueError
            If its bytes cannot be points; the message names the file.
        MemoryError
            If the scan or its image does not fit.
        """
        data = read_bytes(scan)
        try:
            points, left_out = decode_scan(data, self._layout, scan)
            if self._canvas is None:
                self._canvas = Canvas(self._encoding.shape)
                self._raster = Raster(self._encoding, self._canvas.planes)
            _, counts = self._raster.draw(points)
            counts = counts.add(left_out)
            # The digest of the bytes that were drawn: the file may have changed since.
            digest = hashlib.sha256(data.data).hexdigest()
            zeros = count_zero_bytes(data)
            figures = self._raster.figures._replace(zero_bytes=zeros)
            text = describe(self._encoding, self._layout, digest, counts, figures)
            return self._canvas.encode(text), counts
        except MemoryError as error:
            # Discard half-drawn buffers, or their pixels leak into the next image.
            self._canvas = None
            raise MemoryError(f"{scan}: out of memory: {error}") from None

    def render(self, scan: PathLike, image: PathLike) -> Counts:
        """Render a scan to a PNG file, which never exists half-written.

        Raises
        ------
        OSError
            If a file cannot be read or written.
        ValueError, MemoryError
            As `make_image`.
        """
        content, counts = self.make_image(scan)
        write_atomically(image, content)
        return counts


def render(
    scan: PathLike, image: PathLike, encoding: Encoding, layout: LayoutLike = "kitti"
) -> Counts:
    """Render one scan to one PNG file; for many, a `Renderer` is faster.

    Parameters
    ----------
    scan, image : path-like
        The file to read, and the file to write, in a folder that exists.
    encoding : Encoding
        How points become pixels.
    layout : str, path-like, Layout or list of mapping
        The layout of the scan, for `birdview.load_layout`.

    Returns
    -------
    Counts
        What happened to the points.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ValueError
        If the scan's bytes cannot be points; the message names the file.
    MemoryError
        If the scan or its image does not fit.
    """
    return Renderer(encoding, layout).render(scan, image)
