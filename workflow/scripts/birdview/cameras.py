"""Where the calibrations and the images of scans' cameras are, as KITTI has them."""

import os
from dataclasses import dataclass
from functools import cached_property

from birdview.pixels.camera import Camera, read_camera


@dataclass(frozen=True)
class Cameras:
    """The folder of calibrations and images.

    Attributes
    ----------
    folder : str
        With KITTI's `calib`, a file for each scan, and `image_2`; or, of its tracking
        benchmark, a file for each drive, and `image_02`.
    size : tuple of two int, or None
        Width and height of all images in pixels; None to read their headers.
    """

    folder: str
    size: tuple[int, int] | None

    def __str__(self) -> str:
        """Return what images have in common, for manifests: it names no folder."""
        if self.size is None:
            return "the size of each image"
        return "{} x {}".format(*self.size)

    def check(self) -> None:
        """Raise FileNotFoundError if there is no folder of calibrations."""
        where = os.path.abspath(f"{self.folder}/calib")
        if not os.path.isdir(where):
            raise FileNotFoundError(
                f"camera_view: no folder at {where}, expected the calibrations of "
                f"KITTI's object or tracking benchmark, or others in their form"
            )

    def files(self, scan: str) -> list[str]:
        """Return the files that say what the camera of a scan sees."""
        name, images = scan, "image_2"
        if self._is_tracking:
            name, images = os.path.dirname(scan), "image_02"
        calib = f"{self.folder}/calib/{name}.txt"
        return [calib] if self.size else [calib, f"{self.folder}/{images}/{scan}.png"]

    @cached_property
    def _is_tracking(self) -> bool:
        folders = f"{self.folder}/image_02", f"{self.folder}/label_02"
        return any(map(os.path.isdir, folders))

    def read(self, scan: str) -> Camera:
        """Read what the camera of a scan sees; see `read_camera` for its errors."""
        calib, *image = self.files(scan)
        return read_camera(calib, self.size or image[0])
