"""Draw points as planes of pixels."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from birdview.counts import Counts
from birdview.pixels.encoding import Encoding
from birdview.pixels.figures import Figures
from birdview.pixels.plotter import Plotter
from birdview.pixels.sample import look


class Raster:
    """Draws one scan after another with the same encoding.

    Not safe to share between threads.

    Parameters
    ----------
    encoding : Encoding
        How points become pixels.
    planes : ndarray of uint8, shape (rows, cols, channels), optional
        Where to draw: an array of any memory layout. Allocated unless given.

    Attributes
    ----------
    figures : Figures
        What the points of the last scan look like.

    Examples
    --------
    >>> import numpy as np
    >>> from birdview import Raster, load_encoding
    >>> raster = Raster(load_encoding("mv3d"))
    >>> points = np.array([[10.04, -5.02, -1.73, 0.5]], dtype=np.float32)
    >>> planes, counts = raster.draw(points)
    >>> planes[699, 850].tolist()
    [43, 128, 64]
    >>> counts  # doctest: +NORMALIZE_WHITESPACE
    Counts(read=1, nonfinite=0, no_return=0, dropped=0, vehicle=0, duplicate=0,
           hidden=0, outside=0, outside_height=0, drawn=1, cells=1)
    """

    def __init__(
        self, encoding: Encoding, planes: NDArray[np.uint8] | None = None
    ) -> None:
        if planes is None:
            planes = np.empty(encoding.shape, dtype=np.uint8)
        self.figures = Figures()
        self._plotter, self._planes = Plotter(encoding), planes

    def draw(
        self,
        points: NDArray[np.float32],
        fields: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> tuple[NDArray[np.uint8], Counts]:
        """Draw the points of a scan.

        Parameters
        ----------
        points : ndarray of float32, shape (N, 4)
            x, y, z in metres and intensity, in the order of the file.
        fields : mapping of str to ndarray of float32, shape (N,), optional
            Other fields of the points by name, at least those of `Encoding.fields`;
            NaN where a point has no value.

        Returns
        -------
        planes : ndarray of uint8, shape (rows, cols, channels)
            The image, the background where no point is. Valid until the next call.
        counts : Counts

        Raises
        ------
        ValueError
            If a field that the encoding needs is missing or has another length; the
            message names it.
        """
        drawing, counts, scale_share = self._plotter.draw(points, fields)
        self.figures = look(points)._replace(scale_share=scale_share)
        drawing.fill(self._planes)
        return self._planes, counts
