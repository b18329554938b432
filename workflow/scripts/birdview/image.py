"""Images: the file of an image becomes planes again, by name."""

from typing import NamedTuple

import cv2
import numpy as np

from birdview.png import read_text


class Image(NamedTuple):
    """What is in the file of an image.

    Attributes
    ----------
    planes : ndarray of uint8, shape (planes, rows, cols)
    channels : tuple of str
        The name of each plane.
    """

    planes: np.ndarray
    channels: tuple[str, ...]


def load(image):
    """Load an image that this package made.

    Parameters
    ----------
    image : path-like
        A PNG file, whatever its encoding.

    Returns
    -------
    Image
        The planes, shape (planes, rows, cols) uint8, and the names of the channels, in
        the order of the encoding's file.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If the file is no whole PNG, or not one of this package.
    """
    names = read_text(image).get("birdview:channels")
    if names is None:
        raise ValueError(
            f"{image}: no names of channels found, expected birdview's PNG"
        )
    channels = tuple(names.split())
    pixels = cv2.imdecode(np.fromfile(image, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{image}: the pixels cannot be decoded, expected a whole PNG")
    if pixels.ndim == 3:  # OpenCV has blue first
        return Image(
            np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1)), channels
        )
    return Image(pixels.reshape(len(channels), -1, pixels.shape[1]), channels)
