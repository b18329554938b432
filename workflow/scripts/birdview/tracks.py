"""The poses of a run's scans, drive by drive."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from birdview.demo import pose
from birdview.files import PathLike
from birdview.pixels.frame import Frame
from birdview.pixels.poses import Track, read_track
from birdview.pixels.trajectory import Pose

DRIVE = "{drive}"
"""In a path: the first folder of a scan's name."""
_OF_ALL_DRIVES = "nuscenes"
"""The format whose files have the poses of all drives."""
_OF_NUMBERS = "kitti", "kitti360"
"""Formats that tell scans by their numbers, which other drives have, too."""


def expand(path: str, scan: str, key: str) -> str:
    """Return a path with the name of a scan's drive in place of `DRIVE`.

    Raises
    ------
    ValueError
        If the scan is in no folder; it begins with the key of the settings.
    """
    if DRIVE not in path:
        return path
    drive, slash, _ = scan.partition("/")
    if not slash:
        raise ValueError(
            f"{key}: {path}, but the scan {scan} is in no folder, expected "
            f"<drive>/.../<scan> below the folder of the scans"
        )
    return path.replace(DRIVE, drive)


class PoseFiles(NamedTuple):
    """Where the poses of scans are.

    Attributes
    ----------
    key : str
        That of the settings which say so, for error messages.
    path : str
        Of a file or a folder, maybe with `DRIVE`.
    format : str
        One of `birdview.pixels.poses.FORMATS`.
    calib : str or None
        Where the sensor is in what the poses are of, maybe with `DRIVE`.
    axes : Frame
        From the axes of points to those of their files.
    cache : path-like
        A folder for what takes long to read.
    """

    key: str
    path: str
    format: str
    calib: str | None
    axes: Frame
    cache: PathLike

    def read(self, drives: Mapping[str, Sequence[str]], drive: str) -> Track:
        """Read the poses of a drive.

        Parameters
        ----------
        drives : mapping of str to sequence of str
            The scans of each, sorted.
        drive : str

        Raises
        ------
        OSError, ValueError
            If they cannot be read.
        """
        scans = drives[drive]
        path = expand(self.path, scans[0], f"{self.key}: poses")
        if path == self.path and len(drives) > 1 and self.format in _OF_NUMBERS:
            raise ValueError(
                f"{self.key}: poses: {path} for scans in {len(drives)} folders, "
                f"expected a file for each drive, with {DRIVE} in its path"
            )
        calib = self.calib and expand(self.calib, scans[0], f"{self.key}: calib")
        for key, needed in (("poses", path), ("calib", calib)):
            if needed is not None and not os.path.exists(needed):
                raise FileNotFoundError(
                    f"{self.key}: {key}: {needed}: no such file, expected one"
                )
        return read_track(path, self.format, scans, calib, self.axes, self.cache)


class Tracks:
    """The poses of a run's scans; those of a drive are read when one is asked for.

    Parameters
    ----------
    read : function
        Reads the poses of a drive, as `PoseFiles.read`.
    list_scans : function
        Returns the names of all scans that there are.
    drive_of : function
        Returns the drive of a scan: scans around it are of the same.
    """

    def __init__(
        self,
        read: Callable[[Mapping[str, Sequence[str]], str], Track],
        list_scans: Callable[[], Iterable[str]],
        drive_of: Callable[[str], str] = os.path.dirname,
    ) -> None:
        self._read, self._list_scans, self._drive_of = read, list_scans, drive_of
        self._drives: dict[str, list[str]] = {}
        self._known: dict[str, Track | str] = {}

    def of(self, scan: str) -> Track:
        """Return the poses of a scan's drive; raise ValueError if there are none."""
        drive = self._drive_of(scan)
        if drive not in self._known:
            self._known[drive] = self._read_or_explain(drive)
        known = self._known[drive]
        if isinstance(known, str):
            raise ValueError(known)
        return known

    def _read_or_explain(self, drive: str) -> Track | str:
        if not self._drives:
            for scan in sorted(self._list_scans()):
                self._drives.setdefault(self._drive_of(scan), []).append(scan)
        try:
            return self._read(self._drives, drive)
        except (OSError, ValueError) as error:
            return str(error)

    def narrow(self, scans: Iterable[str], reach: tuple[int, int]) -> "Tracks":
        """Return those of some scans and of scans around them, to be pickled.

        Parameters
        ----------
        scans : iterable of str
        reach : (int, int)
            For `birdview.pixels.poses.Track.narrow`.
        """
        wanted: dict[str, list[str]] = {}
        for scan in scans:
            wanted.setdefault(self._drive_of(scan), []).append(scan)
        narrow = Tracks(_read_nothing, list, self._drive_of)
        for drive, members in wanted.items():
            try:
                track = self.of(members[0])
            except ValueError as error:
                narrow._known[drive] = str(error)
            else:
                narrow._known[drive] = track.narrow(members, reach)
        return narrow


def one_drive(_: str) -> str:
    """Take all scans for those of one drive."""
    return ""


def _read_nothing(_: Mapping[str, Sequence[str]], drive: str) -> Track:
    raise ValueError(f"poses: those of {drive or 'this drive'} were not read")


def make_tracks(files: PoseFiles, list_scans: Callable[[], Iterable[str]]) -> Tracks:
    """Make the tracks of files with poses."""
    in_one = files.format == _OF_ALL_DRIVES
    drive_of = one_drive if in_one else os.path.dirname
    return Tracks(files.read, list_scans, drive_of)


def make_tracks_of_demo(list_scans: Callable[[], Iterable[str]]) -> Tracks:
    """Make the tracks of the demo's drive, which is known without files."""

    def read(drives: Mapping[str, Sequence[str]], drive: str) -> Track:
        numbers = {scan: int(os.path.basename(scan)) for scan in drives[drive]}
        return Track(
            path="the demo",
            poses={
                scan: Pose(f"scan {number}", pose(number))
                for scan, number in numbers.items()
            },
            missing={},
            positions=numbers,
            names={number: scan for scan, number in numbers.items()},
            mount=Frame(),
            world=Frame(),
            jumps=(),
        )

    return Tracks(read, list_scans)
