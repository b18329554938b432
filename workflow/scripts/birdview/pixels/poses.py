"""Poses: where the scans of a drive were, as files of several formats say."""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from birdview.files import PathLike
from birdview.pixels.frame import Frame, to_frame
from birdview.pixels.mount import read_kitti360_mount, read_mount
from birdview.pixels.nuscenes import name_files, read_recordings
from birdview.pixels.rigid import compose, invert
from birdview.pixels.trajectory import (
    Found,
    read_kitti,
    read_kitti360,
    read_table,
    read_tum,
)
from birdview.pixels.trajectory import Pose as Pose

FORMATS = ("kitti", "kitti360", "tum", "nuscenes", "table")
"""Formats of poses: KITTI's odometry benchmark and SemanticKITTI; KITTI-360; TUM's
trajectories; nuScenes' tables; a table of the scan's name and twelve numbers."""

JUMP = 100.0
"""Metres: a pose that is farther from the one before, for each scan, is wrong."""
MIN_WAY, MAX_RISE = 1.0, 0.7
"""Metres, and the share of them that no vehicle drives straight up."""
_LEAST_HEADING = 0.01
"""The least part of a unit vector that says where x points on the map."""
_SAME = Frame()
_pack = struct.Struct("<12d").pack


class Jump(NamedTuple):
    """Two poses in a row that are too far from each other.

    Attributes
    ----------
    first, last : int
        The positions of their scans.
    message : str
    """

    first: int
    last: int
    message: str


class Track(NamedTuple):
    """The poses of the scans of a drive.

    Attributes
    ----------
    path : path-like
        The file, or nuScenes' folder, for error messages.
    poses : mapping of str to Pose
        By the scan's name; scans without one are left out.
    missing : mapping of str to str
        The scans without one, and why.
    positions : mapping of str to int
        The place of each known scan in the drive, by name: one more for each scan, with
        gaps where scans are missing. With nuScenes also what is no scan of the run.
    names : mapping of int to str
        The inverse.
    mount : Frame
        From the axes of the scans' points to those which the poses are of.
    world : Frame
        From level axes, x forward and z up, to those which the poses lead to.
    jumps : sequence of Jump
    """

    path: PathLike
    poses: Mapping[str, Pose]
    missing: Mapping[str, str]
    positions: Mapping[str, int]
    names: Mapping[int, str]
    mount: Frame
    world: Frame
    jumps: Sequence[Jump]

    def find(self, scan: str) -> Pose:
        """Return the pose of a scan; raise ValueError, which says why it has none."""
        pose = self.poses.get(scan)
        if pose is None:
            why = self.missing.get(scan, f"no pose of the scan {scan}, expected one")
            raise ValueError(f"{self.path}: {why}")
        return pose

    def neighbour(self, scan: str, offset: int) -> str | None:
        """Return the scan that is some positions later in the drive.

        Parameters
        ----------
        scan : str
        offset : int
            Positions; negative ones are earlier.

        Returns
        -------
        str or None
            None if there is no scan, or it has no pose.
        """
        position = self.positions.get(scan)
        if position is None:
            return None
        name = self.names.get(position + offset)
        return name if name in self.poses else None

    def motion(self, scan: str, reference: str) -> Frame:
        """Return the frame that brings points of one scan to the axes of another.

        With the poses P of the scans, it is inv(mount) inv(P_reference) P_scan mount.

        Raises
        ------
        ValueError
            If one of the scans has no pose, or the poses jump between them; the message
            names the file and the line.
        """
        moved, still = self.find(scan), self.find(reference)
        first, last = sorted((self.positions[scan], self.positions[reference]))
        for jump in self.jumps:
            if first <= jump.first and jump.last <= last:
                raise ValueError(f"{self.path}: {jump.message}")
        if moved.numbers == still.numbers:
            return Frame()
        motion, back = moved.matrix, np.zeros((3, 4))
        # The difference comes first: places on a map have millions of metres.
        motion[:, 3] -= still.matrix[:, 3]
        back[:, :3] = still.matrix[:, :3].T
        mount = self.mount.motion
        motion = compose(compose(invert(mount), compose(back, motion)), mount)
        return to_frame(motion)

    def tilt(self, scan: str) -> Frame:
        """Return the frame that takes roll and pitch out of a scan.

        With the rotation R = Rz(yaw) Ry(pitch) Rx(roll) of the scan, it is Rz(-yaw) R.

        Raises
        ------
        ValueError
            If the scan has no pose, or x points straight up or down.
        """
        pose = self.find(scan)
        level = compose(invert(self.world.motion), pose.matrix)
        ahead, left, up = compose(level, self.mount.motion)[:, :3].tolist()
        heading = sqrt(ahead[0] * ahead[0] + left[0] * left[0])
        if heading < _LEAST_HEADING:
            raise ValueError(
                f"{self.path}: {pose.where}: x of the scan {scan} points straight up "
                f"or down, expected a heading; do the axes fit the poses?"
            )
        c, s = ahead[0] / heading, left[0] / heading
        motion = np.zeros((3, 4))
        for k in range(3):
            motion[:, k] = (
                c * ahead[k] + s * left[k],
                c * left[k] - s * ahead[k],
                up[k],
            )
        return to_frame(motion + 0.0)

    def narrow(self, scans: Sequence[str], reach: tuple[int, int]) -> "Track":
        """Return what is known of some scans and of those around them.

        Parameters
        ----------
        scans : sequence of str
        reach : (int, int)
            The least and the greatest offset that `neighbour` will be asked for.
        """
        low, high = reach
        near = {
            position
            for scan in scans
            if (here := self.positions.get(scan)) is not None
            for position in range(here + low, here + high + 1)
        }
        names = {at: self.names[at] for at in sorted(near) if at in self.names}
        known = {*scans, *names.values()}
        return self._replace(
            poses={name: self.poses[name] for name in known if name in self.poses},
            missing={
                name: self.missing[name] for name in known if name in self.missing
            },
            positions={name: position for position, name in names.items()},
            names=names,
        )

    def digest(self, scans: Sequence[str]) -> str:
        """Return the SHA-256 of all that decides how these scans are moved.

        These are the numbers of their poses, in order, and of the mount; nothing else
        in the file.

        Raises
        ------
        ValueError
            If one of the scans has no pose.
        """
        content = [_pack(*self.find(scan).numbers) for scan in scans]
        for rotation, translation in (self.mount, self.world):
            content.append(_pack(*chain(*rotation, translation)))
        return hashlib.sha256(b"".join(content)).hexdigest()


def read_track(
    path: PathLike,
    form: str,
    scans: Sequence[str],
    calib: PathLike | None = None,
    axes: Frame = _SAME,
    cache: PathLike | None = None,
) -> Track:
    """Read where the scans of a drive were.

    Parameters
    ----------
    path : path-like
        A file; of nuScenes, the folder of its tables.
    form : str
        One of `FORMATS`.
    scans : sequence of str
        The sorted names of the scans of one drive; of nuScenes, of all scans.
    calib : path-like, optional
        A file of KITTI's format with `Tr`, from the sensor to what the poses are of; or
        KITTI-360's folder `calibration`. Without it, poses are of the sensor.
    axes : Frame
        From the axes of the scans' points to those of the numbers in their files.
    cache : path-like, optional
        A folder for a compact copy of nuScenes' tables.

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If it is none of this format, its poses are no rigid motions, its times do not
        increase, or the scans' names do not fit it; the message names the file and the
        line. That a scan has no pose is an error only of what needs it.
    """
    mount, world = Frame(), Frame()
    if form == "nuscenes":
        if calib is not None:
            raise ValueError(
                f"{calib}: a calibration, expected none: nuScenes' tables say it"
            )
        found = _read_nuscenes(path, scans, cache)
    elif form == "kitti360":
        found, of_camera = read_kitti360(path, scans)
        if calib is not None and Path(calib).is_dir():
            mount = read_kitti360_mount(calib, of_camera=of_camera)
        elif calib is not None:
            mount = read_mount(calib)
    else:
        found = _READERS[form](path, scans)
        if calib is not None:
            mount = read_mount(calib)
    mount = to_frame(compose(mount.motion, axes.motion))
    if form == "kitti" and calib is None:
        _check_is_of_sensor(found, path)
    elif form == "kitti":
        world = mount  # the first camera's axes, of which z is forward
    return Track(
        path,
        *found,
        {position: scan for scan, position in found.positions.items()},
        mount,
        world,
        _find_jumps(found),
    )


def _read_nuscenes(
    path: PathLike, scans: Sequence[str], cache: PathLike | None
) -> Found:
    recordings, found = read_recordings(path, scans, cache)
    names = name_files(recordings.files, found)
    poses = {
        name: Pose(f"ego_pose {token}", tuple(numbers))
        for name, token, numbers in zip(
            names,
            recordings.tokens,
            recordings.poses.reshape(-1, 12).tolist(),
            strict=True,
        )
    }
    missing = {
        scan: f"sample_data.json has no file of the scan {scan}, expected one"
        for scan in scans
        if scan not in found
    }
    positions = dict(zip(names, recordings.positions.tolist(), strict=True))
    return Found(poses, missing, positions)


_READERS: dict[str, Callable[[PathLike, Sequence[str]], Found]] = {
    "kitti": read_kitti,
    "tum": read_tum,
    "table": read_table,
}
"""Of the formats that need nothing else."""


def _check_is_of_sensor(found: Found, path: PathLike) -> None:
    """Raise ValueError if poses must be of KITTI's camera, whose z is ahead."""
    scans = found.list_scans()
    motions = np.reshape([found.poses[scan].numbers for scan in scans], (-1, 3, 4))
    with np.errstate(over="ignore", invalid="ignore"):  # poses may be anywhere
        steps = np.diff(motions[..., 3], axis=0)
        own = (motions[:-1, :, :3] * steps[..., None]).sum(axis=1)  # in its own axes
        way, rise = np.sqrt((own * own).sum(axis=1)).sum(), np.abs(own[:, 2]).sum()
    if way > MIN_WAY and rise > MAX_RISE * way:
        raise ValueError(
            f"{path}: {rise / way:.0%} of the way is along z, straight up for a "
            f"sensor, expected the calibration of KITTI's camera, whose z is ahead: "
            f"`calib: calib.txt`, with a line Tr:"
        )


def _find_jumps(found: Found) -> list[Jump]:
    scans = found.list_scans()
    positions = np.array([found.positions[scan] for scan in scans], dtype=np.int64)
    places = np.reshape([found.poses[scan].numbers[3::4] for scan in scans], (-1, 3))
    with np.errstate(over="ignore"):
        x, y, z = np.diff(places, axis=0).T
        distances = np.sqrt(x * x + y * y + z * z)
    wrong = np.flatnonzero(distances > JUMP * np.diff(positions))
    jumps = []
    for number in wrong.tolist():
        before, after = (found.poses[scan] for scan in scans[number : number + 2])
        first, last = positions[number : number + 2].tolist()
        jumps.append(
            Jump(
                first,
                last,
                f"{after.where}: {distances[number]:.0f} m from {before.where}, "
                f"expected at most {JUMP * (last - first):.0f} m: is a pose wrong, or "
                f"are these two drives?",
            )
        )
    return jumps
