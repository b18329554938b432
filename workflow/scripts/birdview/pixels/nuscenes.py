"""Read from nuScenes' tables where the vehicle was at each scan, and in which order.

The tables of the whole data set have gigabytes. They are read row by row, and only what
the scans' own sensors have recorded is kept.
"""

import hashlib
import io
import json
import os
import posixpath
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.files import PathLike, write_atomically
from birdview.pixels.json_table import read_rows
from birdview.pixels.rigid import compose, find_uneven, turn
from birdview.provenance import digest_modules

_TABLES = "sensor", "calibrated_sensor", "sample_data", "ego_pose"
_GAP = 1_000_000
"""Positions between two scenes, so that no neighbour is of another one."""
_DIGITS = 16  # of digests in names of files


class Recordings(NamedTuple):
    """What the sensors of the scans have recorded, in the order of time in each scene.

    Attributes
    ----------
    files : list of str
        Below nuScenes' folder, such as ``sweeps/LIDAR_TOP/n015-....pcd.bin``.
    tokens : list of str
        Of the rows of ego_pose.
    positions : ndarray of int64, shape (N,)
        One more from recording to recording, with gaps between the scenes.
    poses : ndarray of float64, shape (N, 3, 4)
        From the axes of the sensor to those of the map, in metres.
    """

    files: list[str]
    tokens: list[str]
    positions: NDArray[np.int64]
    poses: NDArray[np.float64]


class _Row(NamedTuple):
    """What is kept of a row of sample_data."""

    time: int
    token: str
    previous: str
    next: str
    file: str
    pose: str
    calibration: str


def read_recordings(
    folder: PathLike, scans: Sequence[str], cache: PathLike | None = None
) -> tuple[Recordings, dict[str, int]]:
    """Read what the sensors of scans have recorded, also what is no scan.

    Parameters
    ----------
    folder : path-like
        With the tables, such as v1.0-trainval.
    scans : sequence of str
        Names of scans; their last components are those of nuScenes' files.
    cache : path-like, optional
        A folder for a compact copy, which is used while the tables stay as they are.

    Returns
    -------
    Recordings
    dict of str to int
        Which of them each scan is, by name; without those that nuScenes does not know.

    Raises
    ------
    OSError
        If the folder or a table is missing or cannot be read.
    ValueError
        If a table is not one of nuScenes, or two scans are the same file.
    """
    folder = Path(folder)
    for table in _TABLES:
        if not (folder / f"{table}.json").is_file():
            raise FileNotFoundError(
                f"{folder}: no {table}.json, expected a folder of nuScenes' tables, "
                f"such as v1.0-trainval"
            )
    wanted = _by_file(folder, scans)
    if cache is None:
        recordings, _ = _read(folder, scans, wanted)
        return recordings, _match(folder, recordings, wanted)
    # Taken before the tables are read, in case they change meanwhile.
    state = _digest_state(folder)
    for path in sorted(Path(cache).glob(f"nuscenes-{state}-*.npz")):
        if known := _load(path):
            recordings, unknown = known
            found = _match(folder, recordings, wanted)
            if wanted.keys() <= unknown | {_last(scan) for scan in found}:
                return recordings, found
    recordings, channels = _read(folder, scans, wanted)
    found = _match(folder, recordings, wanted)
    unknown = wanted.keys() - {_last(scan) for scan in found}
    Path(cache).mkdir(parents=True, exist_ok=True)
    name = f"nuscenes-{state}-{_digest(channels)}.npz"
    _save(Path(cache) / name, recordings, unknown)
    return recordings, found


def name_files(files: Sequence[str], found: Mapping[str, int]) -> list[str]:
    """Return the names of recordings as those of scans, known or not.

    Parameters
    ----------
    files : sequence of str
        Below nuScenes' folder.
    found : mapping of str to int
        Which of them each scan is, by name.

    Returns
    -------
    list of str
        Of files that are no scan, the path from the folder of the scans, without their
        suffix, such as ``../../sweeps/LIDAR_TOP/n015-...``.
    """
    known = {number: scan for scan, number in found.items()}
    if not known:
        return [*files]
    number, scan = next(iter(known.items()))
    # What is in front of the part that a scan's name and its file have in common.
    suffix = posixpath.basename(files[number])[len(_last(scan)) :]
    above, below = scan.split("/"), files[number].removesuffix(suffix).split("/")
    while above and below and above[-1] == below[-1]:
        del above[-1], below[-1]
    start = posixpath.join(*below) if below else "."
    paths: dict[str, str] = {}

    def name(file: str) -> str:
        parent, base = posixpath.split(file)
        if parent not in paths:
            path = posixpath.join(*above, posixpath.relpath(parent, start))
            paths[parent] = posixpath.normpath(path)
        return posixpath.normpath(f"{paths[parent]}/{base.removesuffix(suffix)}")

    return [
        known[number] if number in known else name(file)
        for number, file in enumerate(files)
    ]


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _by_file(folder: Path, scans: Iterable[str]) -> dict[str, str]:
    """Return scans by the last components of their names."""
    wanted: dict[str, str] = {}
    for scan in scans:
        other = wanted.setdefault(_last(scan), scan)
        if other != scan:
            raise ValueError(
                f"{folder}: the scans {other} and {scan} are the same file, expected "
                f"each file of nuScenes once"
            )
    return wanted


def _find_wanted(file: str, wanted: Mapping[str, str]) -> str | None:
    """Return the scan that a file is; names of scans are without one suffix or two."""
    name = _last(file)
    while name:
        if name in wanted:
            return wanted[name]
        name = name.rpartition(".")[0]
    return None


def _match(
    folder: Path, recordings: Recordings, wanted: Mapping[str, str]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, file in enumerate(recordings.files):
        scan = _find_wanted(file, wanted)
        if scan is not None and found.setdefault(scan, number) != number:
            raise ValueError(
                f"{folder / 'sample_data.json'}: {recordings.files[found[scan]]} and "
                f"{file} are the scan {scan}, expected one file"
            )
    return found


def _read(
    folder: Path, scans: Sequence[str], wanted: Mapping[str, str]
) -> tuple[Recordings, list[str]]:
    """Return what sensors have recorded, and the tokens of these sensors."""
    channels = {
        row["token"]: row["channel"]
        for row in read_rows(folder / "sensor.json", ("token", "channel"))
    }
    calibrations = {
        row["token"]: row
        for row in read_rows(
            folder / "calibrated_sensor.json",
            ("token", "sensor_token", "translation", "rotation"),
        )
    }
    # nuScenes' names say the sensor, which saves reading the largest table twice.
    sensors = {
        token
        for token, channel in channels.items()
        if any(channel in scan for scan in scans)
    }
    while True:
        rows, seen = _read_rows(folder, calibrations, sensors, wanted)
        if seen <= sensors:
            break
        sensors |= seen
    ordered, positions = _put_in_order(folder, rows)
    poses = compose(
        _read_poses(folder, [row.pose for row in ordered]),
        _turn(folder, "calibrated_sensor", calibrations, ordered),
    )
    files, tokens = [row.file for row in ordered], [row.pose for row in ordered]
    return Recordings(files, tokens, positions, poses), sorted(sensors)


def _read_rows(
    folder: Path,
    calibrations: Mapping[str, Mapping[str, Any]],
    sensors: set[str],
    wanted: Mapping[str, str],
) -> tuple[dict[str, _Row], set[str]]:
    """Return the rows of sensors and of scans, by token, and the scans' sensors."""
    rows, seen = {}, set()
    keys = (
        *("token", "prev", "next", "filename", "ego_pose_token"),
        "calibrated_sensor_token",
    )
    for row in read_rows(folder / "sample_data.json", (*keys, "timestamp")):
        if not all(isinstance(row[key], str) for key in keys):
            raise ValueError(
                f"{folder / 'sample_data.json'}: the row with the token "
                f"{row['token']}: expected text as {', '.join(keys)}"
            )
        calibration = row["calibrated_sensor_token"]
        if calibration not in calibrations:
            raise ValueError(_missing(folder, "calibrated_sensor", calibration))
        sensor = calibrations[calibration]["sensor_token"]
        is_wanted = _find_wanted(row["filename"], wanted) is not None
        if is_wanted:
            seen.add(sensor)
        if is_wanted or sensor in sensors:
            # Rows refer to each other: each token is kept once.
            words = (sys.intern(row[key]) for key in keys)
            kept = _Row(row["timestamp"], *words)
            rows[kept.token] = kept
    return rows, seen


def _put_in_order(
    folder: Path, rows: Mapping[str, _Row]
) -> tuple[list[_Row], NDArray[np.int64]]:
    """Return rows scene by scene, each in the order of time, and their positions."""
    ordered: list[_Row] = []
    positions: list[int] = []
    starts = (row for row in rows.values() if row.previous not in rows)
    for start in sorted(starts, key=lambda row: (row.time, row.token)):
        position = positions[-1] + _GAP if positions else 0
        row: _Row | None = start
        while row is not None and len(ordered) < len(rows):
            ordered.append(row)
            positions.append(position)
            position += 1
            row = rows.get(row.next)
    if len(ordered) != len(rows) or len({row.token for row in ordered}) != len(rows):
        raise ValueError(
            f"{folder / 'sample_data.json'}: prev and next of its rows contradict each "
            f"other, expected each row once in one scene"
        )
    return ordered, np.array(positions, dtype=np.int64)


def _read_poses(folder: Path, tokens: Sequence[str]) -> NDArray[np.float64]:
    """Return the rows of ego_pose with these tokens, as motions."""
    number_of: dict[str, list[int]] = {}
    for number, token in enumerate(tokens):
        number_of.setdefault(token, []).append(number)
    keys = "token", "translation", "rotation"
    numbers = np.full((len(tokens), 7), np.nan)
    for row in read_rows(folder / "ego_pose.json", keys):
        for number in number_of.pop(row["token"], ()):
            numbers[number] = _numbers(folder, "ego_pose", row)
    if number_of:
        raise ValueError(_missing(folder, "ego_pose", next(iter(number_of))))
    return _make_motions(folder, "ego_pose", tokens, numbers)


def _turn(
    folder: Path,
    table: str,
    calibrations: Mapping[str, Mapping[str, Any]],
    rows: Sequence[_Row],
) -> NDArray[np.float64]:
    """Return the calibrations of rows, as motions."""
    used = dict.fromkeys(row.calibration for row in rows)
    numbers = np.empty((len(used), 7))
    for number, token in enumerate(used):
        numbers[number] = _numbers(folder, table, calibrations[token])
    motions = _make_motions(folder, table, [*used], numbers)
    number_of = {token: number for number, token in enumerate(used)}
    return motions[[number_of[row.calibration] for row in rows]]


def _make_motions(
    folder: Path, table: str, tokens: Sequence[str], numbers: NDArray[np.float64]
) -> NDArray[np.float64]:
    quaternions = numbers[:, 3:]
    if (wrong := find_uneven(quaternions)) is not None:
        raise ValueError(
            f"{folder / table}.json: {tokens[wrong]}: no rigid motion, the rotation is "
            f"{quaternions[wrong].tolist()}, expected w x y z of the length 1"
        )
    return turn(quaternions, numbers[:, :3])


def _numbers(folder: Path, table: str, row: Mapping[str, Any]) -> list[float]:
    """Return the translation and the rotation of a row."""
    with suppress(TypeError, ValueError, OverflowError):
        x, y, z = map(float, row["translation"])
        a, b, c, d = map(float, row["rotation"])
        numbers = [x, y, z, a, b, c, d]
        if all(map(isfinite, numbers)):
            return numbers
    raise ValueError(
        f"{folder / table}.json: {row['token']}: translation {row['translation']} and "
        f"rotation {row['rotation']}, expected three and four finite numbers"
    )


def _missing(folder: Path, table: str, token: str) -> str:
    return (
        f"{folder / table}.json: no row with the token {token}, to which "
        f"sample_data.json refers, expected one"
    )


def _digest(words: object) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:_DIGITS]


def _digest_state(folder: Path) -> str:
    """Return what differs if a table or this code has changed."""
    status = [os.stat(folder / f"{table}.json") for table in _TABLES]
    states = [[one.st_size, one.st_mtime_ns] for one in status]
    return _digest([digest_modules(__name__), states])


def _save(path: Path, recordings: Recordings, unknown: Iterable[str]) -> None:
    """Write recordings, and the scans that were sought and not found."""
    content = io.BytesIO()
    np.savez(
        content,
        files=_to_array(recordings.files),
        tokens=_to_array(recordings.tokens),
        positions=recordings.positions,
        poses=recordings.poses,
        unknown=_to_array(sorted(unknown)),
    )
    write_atomically(path, content.getbuffer())


def _load(path: Path) -> tuple[Recordings, set[str]] | None:
    """Read what `_save` has written; None if it is something else."""
    try:
        # NumPy would leave the file open if it is broken.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
            files, tokens, unknown = (
                _to_list(content[key]) for key in ("files", "tokens", "unknown")
            )
            found = Recordings(files, tokens, content["positions"], content["poses"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return found, set(unknown)


def _to_array(words: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)


def _to_list(array: NDArray[np.uint8]) -> list[str]:
    words: list[str] = json.loads(array.tobytes())
    return words
