"""Trajectories: text files of poses, one in each line, and the scans that they are of.

Each format has a function that takes the path of a file and the sorted names of the
scans of a drive. It returns what the file says of these scans. It raises OSError if the
file is missing or cannot be read, and ValueError if it is none of this format; the
message names the file and the line. That a scan has no pose is no error.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike
from birdview.pixels.lines import parse_numbers, read_lines
from birdview.pixels.rigid import find_deformed, find_uneven, turn
from birdview.pixels.stamp import parse_seconds, parse_stamp

NEAR = 50_000_000
"""Nanoseconds between a scan and the nearest pose, at most."""

_LARGEST = 10**9
"""Names of scans below are frame numbers; from there on, they are stamps."""


class Pose(NamedTuple):
    """One pose.

    Attributes
    ----------
    where : str
        Where in the file it is, for error messages, such as ``line 5``.
    numbers : tuple of 12 float
        A rotation and a translation in metres, in three rows of four.
    """

    where: str
    numbers: tuple[float, ...]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The rotation and the translation side by side, shape (3, 4)."""
        return np.reshape(self.numbers, (3, 4))


class Found(NamedTuple):
    """What a file says of scans.

    Attributes
    ----------
    poses : dict of str to Pose
        By the scan's name; scans without one are left out.
    missing : dict of str to str
        The scans without one, and why.
    positions : dict of str to int
        The place of each scan in the drive, by name.
    """

    poses: dict[str, Pose]
    missing: dict[str, str]
    positions: dict[str, int]

    def list_scans(self) -> list[str]:
        """Return the scans that have a pose, in the order of the drive."""
        return sorted(self.poses, key=self.positions.__getitem__)


def read_kitti(path: PathLike, scans: Sequence[str]) -> Found:
    """Read KITTI's poses, of which row i, from 0, is of the scan whose name is i.

    Where names are no numbers, there are as many rows as scans, in order.
    """
    poses = [
        Pose(where, _parse(words, f"{path}: {where}", 12, "three rows of four"))
        for where, words in _read_words(path)
    ]
    _check(path, poses)
    numbers = _find_numbers(scans)
    if numbers is None:
        return _pair(path, scans, poses)
    _check_positions(path, numbers)
    missing = {
        scan: f"{len(poses)} rows, expected one for the scan {scan}: line {number + 1}"
        for scan, number in numbers.items()
        if number >= len(poses)
    }
    found = {
        scan: poses[number] for scan, number in numbers.items() if scan not in missing
    }
    return Found(found, missing, numbers)


def read_kitti360(path: PathLike, scans: Sequence[str]) -> tuple[Found, bool]:
    """Read KITTI-360's poses: the number of the frame, and 12 numbers or 16.

    Returns
    -------
    Found
    bool
        Whether the poses are of the camera, as in cam0_to_world.txt, which has 16
        numbers, and not of the IMU, as in poses.txt.
    """
    numbers = _find_numbers(scans)
    if numbers is None:
        scan = next(scan for scan in scans if _find_numbers([scan]) is None)
        raise ValueError(
            f"{path}: the scan {scan}, expected names that are the numbers of frames"
        )
    _check_positions(path, numbers)
    frames: dict[int, Pose] = {}
    count = 0
    for where, (frame, *words) in _read_words(path):
        place = f"{path}: {where}"
        if not (frame.isascii() and frame.isdecimal()):
            raise ValueError(f"{place}: {frame}, expected the number of a frame")
        count = count or (16 if len(words) == 16 else 12)
        values = _parse(words, place, count, "three rows of four, after the frame")
        if values[12:] not in ((), (0, 0, 0, 1)):
            raise ValueError(
                f"{place}: ends in {' '.join(words[12:])}, expected 0 0 0 1"
            )
        pose = Pose(where, values[:12])
        first = frames.setdefault(int(frame), pose)
        if first is not pose:
            raise ValueError(
                f"{place}: the frame {frame}, which is in {first.where} already, "
                f"expected each frame once"
            )
    _check(path, frames.values())
    found = {
        scan: frames[number] for scan, number in numbers.items() if number in frames
    }
    missing = {
        scan: f"no row of the frame {number}, expected one for the scan {scan}"
        for scan, number in numbers.items()
        if number not in frames
    }
    return Found(found, missing, numbers), count == 16


def read_tum(path: PathLike, scans: Sequence[str]) -> Found:
    """Read TUM's trajectories: the nearest pose of each scan whose name is a stamp.

    Where names are no stamps, there are as many rows as scans, in order.
    """
    wheres: list[str] = []
    times: list[int] = []
    rows: list[tuple[float, ...]] = []
    for where, words in _read_words(path):
        if words[0].startswith("#"):
            continue
        rows.append(_parse(words, f"{path}: {where}", 8, "t x y z qx qy qz qw"))
        time = parse_seconds(words[0])
        if times and time <= times[-1]:
            raise ValueError(
                f"{path}: {where}: the time {words[0]} is not after that of "
                f"{wheres[-1]}, expected times that increase"
            )
        wheres.append(where)
        times.append(time)
    poses = _turn(path, wheres, rows)
    stamps = {scan: parse_stamp(_last(scan)) for scan in scans}
    known = {scan: stamp for scan, stamp in stamps.items() if stamp is not None}
    if len(known) < len(scans):
        return _pair(path, scans, poses)
    found, missing = {}, {}
    for scan, stamp in known.items():
        nearest = _find_nearest(times, stamp)
        if nearest is not None and abs(times[nearest] - stamp) <= NEAR:
            found[scan] = poses[nearest]
            continue
        missing[scan] = f"no pose within {NEAR / 1e9} s of the scan {scan}" + (
            ", expected one"
            if nearest is None
            else f", expected one; the nearest, {wheres[nearest]}, is "
            f"{abs(times[nearest] - stamp) / 1e9:.9g} s away"
        )
    ordered = sorted(scans, key=lambda scan: (known[scan], scan))
    return Found(found, missing, _count(ordered))


def read_table(path: PathLike, scans: Sequence[str]) -> Found:
    """Read a table: the scan's name, or the last component of it, and 12 numbers."""
    by_last: dict[str, list[str]] = {}
    for scan in scans:
        by_last.setdefault(_last(scan), []).append(scan)
    known = set(scans)
    poses: list[Pose] = []
    found: dict[str, Pose] = {}
    for number, line in read_lines(path):
        name, tab, rest = line.partition("\t")
        words = rest.split() if tab else line.split()[1:]
        name = name.strip() if tab else line.split()[0]
        if not poses and name == "scan":
            continue  # the header
        where = f"line {number}"
        place = f"{path}: {where}"
        pose = Pose(where, _parse(words, place, 12, "three rows of four, after a name"))
        poses.append(pose)
        named = [name] if name in known else by_last.get(name, [])
        if len(named) > 1:
            raise ValueError(
                f"{place}: {name}, which may be {named[0]} or {named[1]}, expected the "
                f"scan's name in full"
            )
        for scan in named:
            first = found.setdefault(scan, pose)
            if first is not pose:
                raise ValueError(
                    f"{place}: the scan {name}, which is in {first.where} already, "
                    f"expected each scan once"
                )
    _check(path, poses)
    numbers = _find_numbers(scans)
    if numbers is not None:
        _check_positions(path, numbers)
    missing = {
        scan: f"no row of the scan {scan}, expected one"
        for scan in scans
        if scan not in found
    }
    return Found(found, missing, _count(scans) if numbers is None else numbers)


def _read_words(path: PathLike) -> Iterator[tuple[str, list[str]]]:
    """Yield where each line of a file is, and its words."""
    for number, line in read_lines(path):
        yield f"line {number}", line.split()


def _parse(
    words: Sequence[str], where: str, count: int, what: str
) -> tuple[float, ...]:
    if len(words) != count:
        raise ValueError(f"{where}: {len(words)} numbers, expected {count}: {what}")
    return tuple(parse_numbers(words, where))


def _turn(
    path: PathLike, wheres: Sequence[str], rows: Sequence[tuple[float, ...]]
) -> list[Pose]:
    """Return poses of TUM's rows: t x y z qx qy qz qw."""
    values = np.reshape(np.array(rows, dtype=np.float64), (-1, 8))
    quaternions = values[:, [7, 4, 5, 6]]
    if (wrong := find_uneven(quaternions)) is not None:
        found = " ".join(map(repr, values[wrong, 4:].tolist()))
        raise ValueError(
            f"{path}: {wheres[wrong]}: no rigid motion, qx qy qz qw are {found}, "
            f"expected the length 1"
        )
    motions = turn(quaternions, values[:, 1:4]).reshape(-1, 12).tolist()
    return [
        Pose(where, tuple(numbers))
        for where, numbers in zip(wheres, motions, strict=True)
    ]


def _check(path: PathLike, poses: Iterable[Pose]) -> None:
    """Check that poses are rigid motions."""
    poses = [*poses]
    motions = np.reshape([pose.numbers for pose in poses], (-1, 3, 4))
    if deformed := find_deformed(motions):
        number, why = deformed
        raise ValueError(
            f"{path}: {poses[number].where}: no rigid motion: its left three columns "
            f"are {why}"
        )


def _last(scan: str) -> str:
    return scan.rpartition("/")[2]


def _find_numbers(scans: Iterable[str]) -> dict[str, int] | None:
    """Return the numbers that the names of scans are; None if some are none."""
    numbers = {}
    for scan in scans:
        name = _last(scan)
        if not (name.isascii() and name.isdecimal()) or int(name) >= _LARGEST:
            return None
        numbers[scan] = int(name)
    return numbers


def _check_positions(path: PathLike, numbers: Mapping[str, int]) -> None:
    """Check that scans are of one drive, in which each number is there once."""
    scans: dict[int, str] = {}
    for scan, number in numbers.items():
        other = scans.setdefault(number, scan)
        if other != scan:
            raise ValueError(
                f"{path}: the scans {other} and {scan} both have the number {number}, "
                f"expected the scans of one drive: each needs poses of its own"
            )


def _count(scans: Sequence[str]) -> dict[str, int]:
    return {scan: number for number, scan in enumerate(scans)}


def _pair(path: PathLike, scans: Sequence[str], poses: Sequence[Pose]) -> Found:
    """Give each scan the pose at its place, because its name does not say which."""
    if len(poses) != len(scans):
        raise ValueError(
            f"{path}: {len(poses)} rows, expected {len(scans)}: one for each scan, in "
            f"order, because names such as {scans[0]} do not say which"
        )
    return Found(dict(zip(scans, poses, strict=True)), {}, _count(scans))


def _find_nearest(times: Sequence[int], time: int) -> int | None:
    """Return which of increasing times is nearest, the earlier of two; None of none."""
    after = bisect_left(times, time)
    around = range(max(after - 1, 0), min(after + 1, len(times)))
    return min(around, key=lambda number: abs(times[number] - time), default=None)
