"""Render the file of a scan to the file of an image."""

from collections.abc import Iterator, Sequence

from birdview.counts import Counts
from birdview.files import PathLike, write_atomically
from birdview.pixels.assembly import Assembly, PartReader, assemble_scan
from birdview.pixels.encoding import Encoding
from birdview.pixels.layout import LayoutLike, load_layout
from birdview.pixels.plotter import Plotter
from birdview.pixels.recipe import describe
from birdview.pixels.sample import look
from birdview.pixels.scan import naming_memory_errors


class ScanRenderer:
    """Renders one scan after another, each with several encodings from one read.

    It keeps memory, as `PartReader` does. Not safe to share between threads.
    """

    def __init__(self) -> None:
        self._plotters: dict[Encoding, Plotter] = {}
        self._reader = PartReader()

    def make_images(
        self, assembly: Assembly, encodings: Sequence[Encoding]
    ) -> Iterator[tuple[bytes, Counts]]:
        """Render an assembly in memory, with one encoding after the other.

        Nothing is read before the first image is asked for.

        Yields
        ------
        content : bytes
            A PNG file.
        counts : Counts
            What happened to the points.

        Raises
        ------
        OSError
            If a file cannot be read.
        ValueError
            If its bytes cannot be points; the message names the file.
        MemoryError
            If the points or an image do not fit.
        """
        # If another assembly is asked for before the last image of this one, it needs
        # memory of its own.
        reader, self._reader = self._reader, PartReader()
        try:
            with naming_memory_errors(assembly.parts[0].file):
                yield from self._draw(reader, assembly, encodings)
        finally:
            self._reader = reader

    def _draw(
        self, reader: PartReader, assembly: Assembly, encodings: Sequence[Encoding]
    ) -> Iterator[tuple[bytes, Counts]]:
        fields = dict.fromkeys(name for one in encodings for name in one.fields)
        made = reader.read(assembly, [*fields])
        figures = look(made.points[: made.current])
        figures = figures._replace(zero_bytes=made.zero_bytes)
        for encoding in encodings:
            plotter = self._plotter(encoding)
            drawing, counts, scale_share = plotter.draw(made.points, made.fields)
            counts = counts.add(made.left_out)
            text = describe(
                encoding,
                assembly.layout,
                made.text_for(encoding.fields),
                counts,
                figures._replace(scale_share=scale_share),
                assembly.conditions,
            )
            yield drawing.encode(text), counts

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

    Raises
    ------
    ValueError
        If the encoding shows a field that the layout does not name.
    """

    def __init__(self, encoding: Encoding, layout: LayoutLike = "kitti") -> None:
        self._encoding, self._layout = encoding, load_layout(layout)
        for name in encoding.fields:
            if not self._layout.names(name):
                raise ValueError(
                    f"encoding {encoding.name}: of: {name}: no such field in the "
                    f"layout {self._layout.name}; birdview.Raster draws points with "
                    f"fields from elsewhere"
                )
        self._scans = ScanRenderer()

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
        assembly = assemble_scan(scan, self._layout)
        (image,) = self._scans.make_images(assembly, [self._encoding])
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
        If the encoding shows a field that the layout does not name, or the scan's bytes
        cannot be points; the message names the field or the file.
    MemoryError
        If the scan or its image does not fit.
    """
    return Renderer(encoding, layout).render(scan, image)
