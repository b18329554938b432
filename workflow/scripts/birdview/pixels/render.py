"""Render the file of a scan to the file of an image."""

import hashlib
from collections.abc import Iterator, Sequence

from birdview.counts import Counts
from birdview.files import PathLike, write_atomically
from birdview.pixels.camera import Camera
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import count_zero_bytes
from birdview.pixels.layout import LayoutLike, load_layout
from birdview.pixels.plotter import Plotter
from birdview.pixels.recipe import describe
from birdview.pixels.sample import look
from birdview.pixels.scan import ScanBuffer, decode_scan


class ScanRenderer:
    """Renders one scan after another, each with several encodings from one read.

    It keeps the memory that it reads scans into. Not safe to share between threads.

    Parameters
    ----------
    layout : str, path-like, Layout or list of mapping
        The layout of the scans, for `birdview.load_layout`.
    """

    def __init__(self, layout: LayoutLike = "kitti") -> None:
        self._layout = load_layout(layout)
        self._plotters: dict[Encoding, Plotter] = {}
        self._buffer = ScanBuffer()

    def make_images(
        self,
        scan: PathLike,
        encodings: Sequence[Encoding],
        camera: Camera | None = None,
    ) -> Iterator[tuple[bytes, Counts]]:
        """Render a scan in memory, with one encoding after the other.

        Nothing is read before the first image is asked for.

        Parameters
        ----------
        scan : path-like
        encodings : sequence of Encoding
        camera : Camera, optional
            As `birdview.read_camera` returns it: only points that it sees are drawn.

        Yields
        ------
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
            If the scan or an image does not fit.
        """
        # If another scan is asked for before the last image of this one, it needs a
        # buffer of its own.
        buffer, self._buffer = self._buffer, ScanBuffer()
        try:
            data = buffer.read(scan)
            points, left_out = decode_scan(data, self._layout, scan, camera)
            # The digest of the bytes that are drawn: the file may have changed since.
            digest = hashlib.sha256(data.data).hexdigest()
            zeros = count_zero_bytes(data)
            figures = look(points)._replace(zero_bytes=zeros)
            for encoding in encodings:
                drawing, counts, scale_share = self._plotter(encoding).draw(points)
                counts = counts.add(left_out)
                text = describe(
                    encoding,
                    self._layout,
                    digest,
                    counts,
                    figures._replace(scale_share=scale_share),
                    camera,
                )
                yield drawing.encode(text), counts
        except MemoryError as error:
            raise MemoryError(f"{scan}: out of memory: {error}") from None
        finally:
            self._buffer = buffer

    def _plotter(self, encoding: Encoding) -> Plotter:
        if encoding not in self._plotters:
            self._plotters[encoding] = Plotter(encoding)
        return self._plotters[encoding]


class Renderer:
    """Renders one scan after another with the same encoding and layout.

    It keeps the memory that it reads scans into. Not safe to share between threads.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    layout : str, path-like, Layout or list of mapping
        The layout of the scans, for `birdview.load_layout`.
    """

    def __init__(self, encoding: Encoding, layout: LayoutLike = "kitti") -> None:
        self._encoding, self._scans = encoding, ScanRenderer(layout)

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
        OSError, ValueError, MemoryError
            As `ScanRenderer.make_images`.
        """
        (image,) = self._scans.make_images(scan, [self._encoding])
        return image

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
