"""Write a movie of a drive: one frame for each scan."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, atomic_path
from birdview.image import read_image
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.view.marks import TEXT, put_text
from birdview.view.picture import make_picture

CODEC = "VP80"
"""VP8, which browsers play. OpenCV's wheels have no H.264, and their VP9 takes four
times as long."""
MAX_SIDE = 800
"""Pixels of a frame's longer side."""
_MATROSKA = b"matroska"


def write_movie(
    path: PathLike,
    images: Mapping[str, PathLike],
    encoding: Encoding,
    rate: float,
    palette: Classes | None = None,
) -> None:
    """Write a movie with one frame for each image.

    Parameters
    ----------
    path : path-like
        The file to write.
    images : mapping of str to path-like
        The image files in order, by the names of their scans.
    encoding : Encoding
        The images' encoding.
    rate : float
        Frames per second.
    palette : Classes, optional
        The classes of class maps.

    Raises
    ------
    OSError
        If an image cannot be read or the movie cannot be written, or if this OpenCV
        lacks the codec.
    ValueError
        As `birdview.load` does.
    """
    writer = cv2.VideoWriter()
    with atomic_path(path) as partial:
        # For a .webm, OpenCV warns that it does not support the codec, and yet uses it.
        movie = partial.with_suffix(".mkv")
        try:
            for scan, image in images.items():
                frame = _draw_frame(read_image(image).planes, encoding, scan, palette)
                if not writer.isOpened():
                    code, size = cv2.VideoWriter.fourcc(*CODEC), frame.shape[1::-1]
                    if not writer.open(str(movie), cv2.CAP_FFMPEG, code, rate, size):
                        raise OSError(
                            f"{path}: OpenCV {cv2.__version__} has no {CODEC}"
                        )
                writer.write(frame)
            writer.release()
            # OpenCV does not report write errors, so count the frames.
            frames = _count_frames(movie)
            if frames != len(images):
                raise OSError(
                    f"{path}: {frames} frames written, expected {len(images)}; is the "
                    f"disk full?"
                )
            _mark_as_webm(movie)
            movie.rename(partial)
        finally:
            movie.unlink(missing_ok=True)


def _count_frames(movie: Path) -> int:
    reader, frames = cv2.VideoCapture(str(movie), cv2.CAP_FFMPEG), 0
    while reader.grab():
        frames += 1
    return frames


def _mark_as_webm(movie: Path) -> None:
    """Change the type that a Matroska file has in front: WebM is a subset of Matroska.

    The rest of a text is filled with zeros, which end it:
    https://www.rfc-editor.org/rfc/rfc8794#name-string-element
    """
    with open(movie, "r+b") as file:
        file.seek(file.read(64).index(_MATROSKA))
        file.write(b"webm".ljust(len(_MATROSKA), b"\0"))


def _draw_frame(
    planes: NDArray[np.uint8], encoding: Encoding, scan: str, palette: Classes | None
) -> NDArray[np.uint8]:
    picture = make_picture(planes, encoding, MAX_SIDE, palette=palette)[..., ::-1]
    height, width, _ = picture.shape
    # The codec needs even sizes.
    frame = np.zeros((height + height % 2, width + width % 2, 3), dtype=np.uint8)
    frame[:height, :width] = picture
    put_text(frame, scan, (12, 26), 16, TEXT, width - 24)
    return frame
