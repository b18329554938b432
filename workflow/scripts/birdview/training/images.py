"""The images of a data set with their boxes and masks, as a sequence for a trainer."""

from collections.abc import Sequence
from operator import index
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.image import read_image
from birdview.training.index import read_index
from birdview.training.masks import MASKS
from birdview.training.tiff import read_tiff


class Boxes(NamedTuple):
    """The boxes of an image: arrays with an entry for each.

    Attributes
    ----------
    classes : ndarray of int64, shape (n,)
        Numbers in `Images.classes`.
    pixels : ndarray of float32, shape (n, 4, 2)
        The row and the column of each corner of the footprint, front left first, then
        front right, rear right, rear left. Pixel (i, j) reaches from (i, j) to
        (i + 1, j + 1). Corners may be outside the image.
    corners : ndarray of float32, shape (n, 4, 2)
        The same as x and y in metres, in the frame of the image.
    z, heights : ndarray of float32, shape (n,)
        The bottom and the height in metres.
    headings : ndarray of float32, shape (n,)
        Where the front is, in radians: 0 is forward, pi / 2 to the left.
    """

    classes: NDArray[np.int64]
    pixels: NDArray[np.float32]
    corners: NDArray[np.float32]
    z: NDArray[np.float32]
    heights: NDArray[np.float32]
    headings: NDArray[np.float32]


class Images:
    """A split of a data set that `snakemake dataset` made.

    Each item is the planes of an image, shape (planes, rows, cols) uint8, and its
    `Boxes`. Files are read when an item is asked for, so that worker processes can do
    it; nothing is kept open.

    Parameters
    ----------
    folder : path-like
        The folder of the data set, such as ``results/dataset/mv3d``.
    split : str
        Such as ``train``.

    Attributes
    ----------
    scans : list of str
        The name of the scan of each item.
    channels, classes : list of str
        The names of the planes, and of the classes of boxes.
    mask_classes : list of str
        The names of the classes in masks, from number 0; none if there are no masks.

    Raises
    ------
    OSError
        If there is no data set, or it cannot be read; of an item, its image or mask.
    ValueError
        If it has no such split, or is of another version of birdview; of an item, if
        its image or mask is not whole.
    """

    def __init__(self, folder: PathLike, split: str) -> None:
        found = read_index(folder)
        if split not in found["splits"]:
            raise ValueError(
                f"{folder}: no split {split}, expected one of "
                f"{', '.join(found['splits'])}"
            )
        self._folder, self._suffix = Path(folder, "images", split), found["suffix"]
        self._masks = Path(folder, MASKS, split)
        self._boxes: dict[str, list[dict[str, Any]]] = found["splits"][split]
        self.scans = [*self._boxes]
        self.channels: list[str] = found["channels"]
        self.classes = [*found["classes"]]
        self.mask_classes: list[str] = found.get("masks", {"classes": []})["classes"]

    def __len__(self) -> int:
        return len(self.scans)

    def __getitem__(self, number: SupportsIndex) -> tuple[NDArray[np.uint8], Boxes]:
        """Read an image and its boxes; see the class."""
        scan = self.scans[index(number)]
        path = self._folder / f"{scan}{self._suffix}"
        return self._read(path), self._convert(self._boxes[scan])

    def read_mask(self, number: SupportsIndex) -> NDArray[np.uint8]:
        """Read the mask of an image: the class of each pixel, or 255 for none.

        Returns
        -------
        ndarray of uint8, shape (rows, cols)
            Numbers in `mask_classes`.

        Raises
        ------
        OSError
            If the data set has no masks, or this one cannot be read.
        ValueError
            If it is not whole.
        """
        scan = self.scans[index(number)]
        if not self.mask_classes:
            raise FileNotFoundError(
                f"{self._masks}: no masks, expected a data set of the setting "
                f"`dataset: {{masks: semantic}}`"
            )
        mask: NDArray[np.uint8] = read_image(self._masks / f"{scan}.png").planes[0]
        return mask

    def _read(self, path: Path) -> NDArray[np.uint8]:
        if self._suffix == ".png":
            return read_image(path).planes
        if self._suffix == ".tiff":
            planes, _ = read_tiff(path)
            return planes
        stored: NDArray[np.uint8] = np.load(path)
        return stored

    def _convert(self, boxes: Sequence[dict[str, Any]]) -> Boxes:
        def column(key: str, *shape: int) -> NDArray[np.float32]:
            values = np.array([box[key] for box in boxes], dtype=np.float32)
            return values.reshape(len(boxes), *shape)

        numbers = [self.classes.index(box["class"]) for box in boxes]
        return Boxes(
            np.array(numbers, dtype=np.int64),
            column("pixels", 4, 2),
            column("corners", 4, 2),
            column("z"),
            column("height"),
            column("heading"),
        )
