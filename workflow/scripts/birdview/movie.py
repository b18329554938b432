"""Movies: the scans of a drive, one after the other, for the browser."""

import cv2
import numpy as np

from birdview.image import load
from birdview.picture import make_picture
from birdview.render import whole
from birdview.sheet import TEXT, put_text

CODEC, SUFFIX = "VP80", ".webm"
"""VP8, which browsers play. OpenCV's wheels have no H.264, and their VP9 takes 4 times
as long. (On opening a movie, OpenCV says the tag was not supported: the movie is.)"""
SIDE = 800
"""Pixels of the longer side of a frame, about."""


def write_movie(path, images, encoding, rate):
    """Write a movie with a frame for each image.

    Parameters
    ----------
    path : path-like
        The file to write.
    images : mapping of str to path-like
        The files of the images, by the names of their scans, in order.
    encoding : Encoding
        That of the images.
    rate : float
        Frames per second.

    Raises
    ------
    OSError, ValueError
        As `birdview.load` does; OSError too, if this OpenCV cannot write such a movie.
    """
    writer = cv2.VideoWriter()
    with whole(path) as partial:
        movie = partial.with_suffix(SUFFIX)  # it says what kind of file OpenCV writes
        try:
            for scan, image in images.items():
                frame = _draw_frame(load(image).planes, encoding, scan)
                if not writer.isOpened():
                    code, size = cv2.VideoWriter.fourcc(*CODEC), frame.shape[1::-1]
                    if not writer.open(str(movie), cv2.CAP_FFMPEG, code, rate, size):
                        raise OSError(
                            f"{path}: OpenCV {cv2.__version__} has no {CODEC}"
                        )
                writer.write(frame)
            writer.release()
            # Of a disk that is full, OpenCV says nothing.
            frames = _count_frames(movie)
            if frames != len(images):
                raise OSError(
                    f"{path}: {frames} frames written, expected {len(images)}; is the "
                    f"disk full?"
                )
            movie.rename(partial)
        finally:
            movie.unlink(missing_ok=True)


def _count_frames(movie):
    reader, frames = cv2.VideoCapture(str(movie), cv2.CAP_FFMPEG), 0
    while reader.grab():
        frames += 1
    return frames


def _draw_frame(planes, encoding, scan):
    picture = make_picture(planes, encoding, SIDE)[..., ::-1]
    height, width, _ = picture.shape
    # A codec takes even sizes.
    frame = np.zeros((height + height % 2, width + width % 2, 3), dtype=np.uint8)
    frame[:height, :width] = picture
    put_text(frame, scan, (12, 26), 16, TEXT, width - 24)
    return frame
