"""What the images of a run are made of: scans of sensors, those around, and labels."""

import hashlib
import json
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from birdview.cameras import Cameras
from birdview.files import PathLike, write_if_changed
from birdview.pixels.assembly import (
    LABELLED,
    SENSORS,
    SWEEPS,
    Assembly,
    Part,
    PointLabels,
)
from birdview.pixels.camera import Camera
from birdview.pixels.classes import Classes
from birdview.pixels.encoding import Encoding
from birdview.pixels.frame import Frame
from birdview.pixels.layout import Layout
from birdview.pixels.recipe import CLASS, Conditions
from birdview.records import State, state_of
from birdview.sources import Source
from birdview.tracks import DRIVE, Tracks, expand

_SUFFIXES = ".label", ".bin"
"""How the names of files of labels end; the first that exists."""

_NAMED = 3  # of scans without an image, in a message


class Sensor(NamedTuple):
    """A sensor of the vehicle.

    Attributes
    ----------
    source : Source
        Where its scans are.
    layout : Layout
        Without a frame.
    frame : Frame
        What brings its points to the axes that all sensors share.
    """

    source: Source
    layout: Layout
    frame: Frame


class Sweeps(NamedTuple):
    """Which scans around that of an image are drawn, too.

    Attributes
    ----------
    offsets : tuple of int
        Their positions from there, in the order in which they are drawn.
    tracks : Tracks
    """

    offsets: tuple[int, ...]
    tracks: Tracks

    @property
    def reach(self) -> tuple[int, int]:
        """The least and the greatest offset; 0 is between them."""
        return min(0, *self.offsets), max(0, *self.offsets)


class LabelFiles(NamedTuple):
    """Where the labels of points are.

    Attributes
    ----------
    path : str
        A folder, maybe with the name of a drive: see `birdview.tracks.expand`.
    format : str
        For `birdview.pixels.point_labels`.
    classes : Classes
    are_simulated : bool
        Whether the workflow makes them.
    """

    path: str
    format: str
    classes: Classes
    are_simulated: bool = False

    def of(self, scan: str) -> PointLabels:
        """Return the file of a scan's labels, which may not exist."""
        name = os.path.basename(scan) if DRIVE in self.path else scan
        start = f"{expand(self.path, scan, 'point_labels: path')}/{name}"
        paths = [f"{start}{suffix}" for suffix in _SUFFIXES]
        file = next(filter(os.path.isfile, paths), paths[0])
        return PointLabels(file, self.format, self.classes)

    def has(self, labels: PointLabels) -> bool:
        """Whether there is a file of labels."""
        return self.are_simulated or os.path.isfile(labels.file)


class _Member(NamedTuple):
    """A scan of a sensor that is part of an image."""

    sensor: int
    scan: str
    offset: int


@dataclass(frozen=True)
class Assemblies:
    """What the images of a run are made of.

    Attributes
    ----------
    layout : Layout
        That of the scans, as images name it.
    sensors : tuple of Sensor
        Joined by the names of their scans; those of the first have images.
    frame : Frame
        What brings points from the axes that all sensors share to those of images.
    cameras : Cameras or None
        Where what the cameras see is read from; None if all points are drawn.
    sweeps : Sweeps or None
    level : Tracks or None
        The poses that say which way is up; None if scans are drawn as they are.
    labels : LabelFiles or None
        None if no encoding shows classes.
    """

    layout: Layout
    sensors: tuple[Sensor, ...]
    frame: Frame
    cameras: Cameras | None = None
    sweeps: Sweeps | None = None
    level: Tracks | None = None
    labels: LabelFiles | None = None

    def of(self, scan: str) -> Assembly:
        """Return what the images of a scan are made of.

        Raises
        ------
        OSError, ValueError
            If what decides it cannot be read.
        """
        members = self._members(scan)
        conditions = self._conditions(members)
        outer, camera = self._outer(scan), self.camera(scan)
        parts, labelled = list[Part](), 0
        for member in members:
            sensor = self.sensors[member.sensor]
            within = self._motion(member.scan, scan).after(sensor.frame)
            seen = camera
            if camera and (member.sensor or member.offset):
                back = self.sensors[0].frame.inverse()
                seen = camera.seen_after(back.after(within))
            labels = self._labels_of(member)
            labelled += labels is not None
            file = sensor.source.file(member.scan)
            frame = outer.after(within)
            age = -member.offset
            parts.append(Part(file, sensor.layout, frame, seen, age, labels))
        moments = 1 + len(self.sweeps.offsets if self.sweeps else ())
        drawn = len({member.offset for member in members})
        found = []
        if self.sweeps:
            found.append((SWEEPS, drawn, moments))
        if len(self.sensors) > 1:
            found.append((SENSORS, len(parts), drawn * len(self.sensors)))
        if self.labels:
            found.append((LABELLED, labelled, len(parts)))
        return Assembly(self.layout, tuple(parts), conditions, tuple(found), self._kept)

    def for_encodings(self, encodings: Iterable[Encoding]) -> "Assemblies":
        """Return those that some encodings need: labels are for those with classes."""
        if any(CLASS in encoding.fields for encoding in encodings):
            return self
        return replace(self, labels=None)

    def frame_of(self, scan: str) -> Frame:
        """Return what brings points of a scan's file to the axes of its images.

        Raises
        ------
        ValueError
            As `of`.
        """
        return self._outer(scan).after(self.sensors[0].frame)

    def record(self, scan: str, folder: PathLike) -> str:
        """Write what decides the images of a scan, if that has changed.

        Parameters
        ----------
        scan : str
        folder : path-like
            Below which there is a file for each scan: what decides its images, or why
            that cannot be read.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        path = f"{folder}/conditions/{scan}.json"
        try:
            content = json.dumps(self._explain(scan), indent=2)
        except (OSError, ValueError) as error:
            content = str(error)
        write_if_changed(path, content)
        return path

    def _explain(self, scan: str) -> dict[str, Any]:
        members, camera = self._members(scan), self.camera(scan)
        conditions = self._conditions(members)
        return {
            "digests": {key: one for key, one in conditions._asdict().items() if one},
            "scans": {one.scan: one.offset for one in members},
            "camera": camera and camera._asdict(),
        }

    def files(self, scan: str) -> list[str]:
        """Return the files of a scan's images: of points, those around, and labels.

        Raises
        ------
        ValueError
            As `of`.
        """
        members = self._members(scan)
        labels = map(self._labels_of, members)
        return [
            *(self.sensors[one.sensor].source.file(one.scan) for one in members),
            *(str(one.file) for one in labels if one),
        ]

    def state(self, scan: str) -> State | None:
        """Return what differs if an image of a scan may be stale.

        None if the scan's file, or one that it needs, is missing.
        """
        try:
            members = self._members(scan)
            around = self._around(members)
        except ValueError as error:
            members, around = [_Member(0, scan, 0)], [str(error)]
        states = [self.sensors[one.sensor].source.state(one.scan) for one in members]
        states += [
            state_of(labels.file)
            for one in members
            if (labels := self._labels_of(one)) is not None
        ]
        if self.cameras:
            states += map(state_of, self.cameras.files(scan))
        whole: State = []
        for state in states:
            if state is None:
                return None
            whole += state
        return whole + around

    def camera(self, scan: str) -> Camera | None:
        """Return what the camera of a scan sees; None if all points are drawn.

        It is read once: what is drawn is what the recipe has.

        Raises
        ------
        OSError, ValueError
            As `birdview.pixels.camera.read_camera`.
        """
        if self.cameras is None:
            return None
        if scan not in self._known_cameras:
            self._known_cameras[scan] = self.cameras.read(scan)
        return self._known_cameras[scan]

    @cached_property
    def _known_cameras(self) -> dict[str, Camera]:
        return {}

    def narrow(self, scans: Sequence[str]) -> "Assemblies":
        """Return those of some scans, to be pickled."""
        sweeps, level = self.sweeps, self.level
        if sweeps:
            tracks = sweeps.tracks.narrow(scans, sweeps.reach)
            sweeps = sweeps._replace(tracks=tracks)
        return replace(self, sweeps=sweeps, level=level and level.narrow(scans, (0, 0)))

    def describe(self) -> dict[str, str]:
        """Return what the images of all scans have in common, for manifests."""
        described = {}
        if self.cameras:
            described["camera_view"] = str(self.cameras)
        if self.sweeps:
            clearance = self.sensors[0].layout.choice.clearance
            offsets = " ".join(f"{offset:+}" for offset in self.sweeps.offsets)
            described["sweeps"] = f"{offsets}, vehicle {clearance:g} m"
        if self.level:
            described["level"] = "by poses"
        constant = self.of_all._asdict().items()
        return described | {key: digest for key, digest in constant if digest}

    def name_unpaired(self) -> Iterator[str]:
        """Say which scans are in no image: the first sensor has none of their name."""
        first, *others = (sensor.source for sensor in self.sensors)
        for source in others:
            place = source.place
            names = [name for name in place.names() if not first.has(name)]
            if names:
                yield (
                    f"sensors: {len(names)} scan{'s' * (len(names) > 1)} of "
                    f"{place.where} in no image, as {first.place.where} has none of "
                    f"that name: {', '.join(names[:_NAMED])}"
                    f"{', ...' if len(names) > _NAMED else ''}"
                )

    @property
    def of_all(self) -> Conditions:
        """The conditions that are the same for all scans."""
        return Conditions(sensors=self._sensors_digest, classes=self._classes_digest)

    @property
    def are_remote(self) -> bool:
        """Whether files of any sensor have to be fetched."""
        return any(sensor.source.is_remote for sensor in self.sensors)

    @property
    def differ(self) -> bool:
        """Whether other conditions decide each scan's images."""
        return bool(
            self.cameras
            or self.sweeps
            or self.level
            or self.labels
            or len(self.sensors) > 1
        )

    @property
    def current(self) -> "Assemblies":
        """Those of the points of the images' own scans alone."""
        return replace(self, sweeps=None, labels=None)

    @contextmanager
    def open(self, scans: Iterable[str]) -> Iterator[Callable[[Assembly], Assembly]]:
        """Make files available that have to be fetched.

        Parameters
        ----------
        scans : iterable of str
            In the order in which their assemblies will be needed.

        Yields
        ------
        function
            Returns an assembly with files on this machine, which can be read until
            the next call.
        """
        remote = [one.source for one in self.sensors if one.source.is_remote]
        if not remote:
            yield lambda assembly: assembly
            return
        names = [*scans]
        wanted = [[*self._plan(names, source)] for source in remote]
        with ExitStack() as stack:
            copies = [
                stack.enter_context(_Copies(source, needed, 2 * self._kept))
                for source, needed in zip(remote, wanted, strict=True)
            ]

            def fetch(assembly: Assembly) -> Assembly:
                parts = assembly.parts
                for some in copies:
                    parts = some.replace(parts)
                return assembly._replace(parts=parts)

            yield fetch

    def _plan(self, scans: Iterable[str], source: Source) -> Iterator[str]:
        """Yield the scans of a sensor in the order in which their files are needed.

        Those that were needed shortly before are still here.
        """
        last: deque[str] = deque(maxlen=max(1, 2 * self._kept))
        for scan in scans:
            try:
                members = self._members(scan)
            except ValueError:  # which `of` raises again
                continue
            for one in members:
                if self.sensors[one.sensor].source is source and one.scan not in last:
                    last.append(one.scan)
                    yield one.scan

    def _members(self, scan: str) -> list[_Member]:
        """Return the scans that are part of an image, its own first."""
        moments = [(scan, 0)]
        first, *others = self.sensors
        if self.sweeps:
            track = self.sweeps.tracks.of(scan)
            track.find(scan)  # an image without would be one of a single scan
            for offset in self.sweeps.offsets:
                name = track.neighbour(scan, offset)
                if name is not None and first.source.has(name):
                    moments.append((name, offset))
        members = []
        for name, offset in moments:
            members.append(_Member(0, name, offset))
            for number, sensor in enumerate(others, start=1):
                if sensor.source.has(name):
                    members.append(_Member(number, name, offset))
        return members

    def _labels_of(self, member: _Member) -> PointLabels | None:
        """Return the labels of the points of a scan; None if there are none.

        Those of an image's own scan must exist.
        """
        if self.labels is None or member.sensor:
            return None
        labels = self.labels.of(member.scan)
        if member.offset and not self.labels.has(labels):
            return None
        return labels

    def _motion(self, scan: str, reference: str) -> Frame:
        if self.sweeps is None or scan == reference:
            return Frame()
        return self.sweeps.tracks.of(reference).motion(scan, reference)

    def _outer(self, scan: str) -> Frame:
        """Return what brings points from the axes of all sensors to the image's."""
        if self.level is None:
            return self.frame
        return self.frame.after(self.level.of(scan).tilt(scan))

    @property
    def _kept(self) -> int:
        if self.sweeps is None:
            return 0
        low, high = self.sweeps.reach
        return (high - low + 1) * len(self.sensors)

    def _conditions(self, members: Sequence[_Member]) -> Conditions:
        camera = self.camera(members[0].scan)
        sweeps, level = self._around(members)
        digest = camera.digest if camera else ""
        constant = self._tell_missing(members)
        return constant._replace(camera=digest, sweeps=sweeps, level=level)

    def _tell_missing(self, members: Sequence[_Member]) -> Conditions:
        """Return `of_all`; other ones if scans of sensors or labels are missing.

        An image must become stale when a file comes or goes, whatever its time.
        """
        constant = self.of_all
        of_first = [one for one in members if not one.sensor]
        if len(members) < len(of_first) * len(self.sensors):
            there = [[one.sensor, one.offset] for one in members]
            constant = constant._replace(sensors=_digest([constant.sensors, there]))
        if self.labels:
            files = [self.labels.of(one.scan) for one in of_first]
            are_labelled = [*map(self.labels.has, files)]
            if not all(are_labelled):
                digest = _digest([constant.classes, are_labelled])
                constant = constant._replace(classes=digest)
        return constant

    def _around(self, members: Sequence[_Member]) -> list[str]:
        """Return the digests of the poses that decide an image."""
        scan, sweeps, level = members[0].scan, "", ""
        if self.sweeps:
            names = {one.scan: one.offset for one in members}
            poses = self.sweeps.tracks.of(scan).digest([*names])
            clearance = self.sensors[0].layout.choice.clearance
            # How many are wanted is in an image's text.
            wanted = len(self.sweeps.offsets)
            sweeps = _digest([poses, [*names.values()], wanted, clearance])
        if self.level:
            level = self.level.of(scan).digest([scan])
        return [sweeps, level]

    @cached_property
    def _sensors_digest(self) -> str:
        if len(self.sensors) == 1:
            return ""
        described = [
            [one.layout.digest, one.layout.digest_fields(names), one.frame]
            for one in self.sensors
            for names in [[field.name for field in one.layout.fields]]
        ]
        return _digest([described, self.frame])

    @cached_property
    def _classes_digest(self) -> str:
        if self.labels is None:
            return ""
        return _digest([self.labels.format, self.labels.classes.digest])


class _Copies:
    """Copies of a sensor's files, which are fetched one after the other.

    Parameters
    ----------
    source : Source
    scans : list of str
        In the order in which they will be needed.
    kept : int
        How many copies stay.
    """

    def __init__(self, source: Source, scans: Sequence[str], kept: int) -> None:
        addresses = [*map(source.file, scans)]
        self._planned, self._next = {*addresses}, iter(addresses)
        self._opened = source.open_files(scans, max(1, kept))
        self._here: OrderedDict[str, str] = OrderedDict()
        self._kept = max(1, kept)

    def __enter__(self) -> "_Copies":
        self._waiting = self._opened.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)

    def replace(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Return parts with copies in place of those files that are this sensor's."""
        return tuple(
            part._replace(file=self._copy(str(part.file)))
            if str(part.file) in self._planned
            else part
            for part in parts
        )

    def _copy(self, address: str) -> str:
        while address not in self._here:
            self._here[next(self._next)] = next(self._waiting)
            if len(self._here) > self._kept:
                self._here.popitem(last=False)
        return self._here[address]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
