"""Mounts: how a sensor is fixed to what poses are of, such as a camera or an IMU."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.calibration import read_calibration
from birdview.pixels.frame import Frame, to_frame
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.pixels.rigid import compose, find_deformed, invert


def read_mount(path: PathLike) -> Frame:
    """Read a mount from a file of KITTI's format: its `Tr`.

    Returns
    -------
    Frame
        From the axes of the scan's points to those of the rectified camera.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is no calibration; the message names the file and the key.
    """
    return to_frame(read_calibration(path).to_camera[:3])


def read_kitti360_mount(folder: PathLike, *, of_camera: bool) -> Frame:
    """Read a mount from KITTI-360's folder `calibration`.

    Its files lead from the camera: `calib_cam_to_velo.txt` to the points of the scan,
    `calib_cam_to_pose.txt` to the IMU, and `perspective.txt` to the rectified camera,
    as the data set's own kit multiplies them.

    Parameters
    ----------
    folder : path-like
    of_camera : bool
        Whether poses are of the rectified camera, as in `cam0_to_world.txt`, and not of
        the IMU, as in `poses.txt`.

    Returns
    -------
    Frame
        From the axes of the scan's points to those of the camera or the IMU.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If it is no calibration; the message names the file and the key.
    """
    folder = Path(folder)
    if of_camera:
        from_camera = _read(folder / "perspective.txt", "R_rect_00", 3)
    else:
        from_camera = _read(folder / "calib_cam_to_pose.txt", "image_00", 4)
    to_points = _read(folder / "calib_cam_to_velo.txt", "", 4)
    return to_frame(compose(from_camera, invert(to_points)))


def _read(path: Path, key: str, cols: int) -> NDArray[np.float64]:
    """Return a matrix of three rows as a motion; a key in front of it may be empty."""
    start = f"{key}:" if key else ""
    lines = (line.strip() for _, line in read_lines(path))
    line = next((line for line in lines if line.startswith(start)), None)
    where = f"{path}: {key}" if key else f"{path}"
    if line is None:
        expected = f"{start} and its numbers" if key else "numbers"
        raise ValueError(
            f"{path}: no {key or 'line'}, expected {expected}, as in KITTI-360's "
            f"folder calibration"
        )
    numbers = parse_numbers(line.removeprefix(start).split(), where)
    if len(numbers) != 3 * cols:
        raise ValueError(
            f"{where}: {len(numbers)} numbers, expected {3 * cols}, as in KITTI-360's "
            f"folder calibration"
        )
    motion = np.zeros((3, 4))
    motion[:, :cols] = np.reshape(numbers, (3, cols))
    if deformed := find_deformed(motion[None]):
        raise ValueError(f"{where}: {deformed[1]}")
    return motion
