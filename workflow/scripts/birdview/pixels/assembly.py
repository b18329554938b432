"""Assemblies: the files whose points an image shows, and how they come together."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from birdview.counts import LeftOut
from birdview.files import PathLike
from birdview.pixels.camera import Camera
from birdview.pixels.classes import Classes
from birdview.pixels.figures import count_zero_bytes
from birdview.pixels.frame import Frame
from birdview.pixels.layout import Layout
from birdview.pixels.point_labels import decode_point_labels, read_labels
from birdview.pixels.recipe import CLASS, Conditions
from birdview.pixels.scan import (
    Cloud,
    ScanBuffer,
    check_seen,
    decode_cloud,
    naming_memory_errors,
    place,
    read_bytes,
)

SCAN, LABELS = "birdview:scan_sha256", "birdview:point_labels_sha256"
"""Keywords of the digests of the files in an image's text."""
SWEEPS, SENSORS, LABELLED = FOUND = (
    "birdview:sweeps",
    "birdview:sensors",
    "birdview:labelled",
)
"""Keywords of how many scans an image shows, of how many files of sensors, and how many
of them have labels of points, each with how many there could be."""
AGE = "age"
"""The field that says how many scans ago a point was seen."""


class PointLabels(NamedTuple):
    """The file of the labels of a scan's points.

    Attributes
    ----------
    file : path-like
    format : str
        For `birdview.pixels.point_labels`.
    classes : Classes
    """

    file: PathLike
    format: str
    classes: Classes


class Joined(NamedTuple):
    """How many files an image shows, and how many it could, as its text says.

    Attributes
    ----------
    sweeps, sensors : tuple of two int, or None
        None if there can only be one.
    """

    sweeps: tuple[int, int] | None = None
    sensors: tuple[int, int] | None = None

    @property
    def files(self) -> int:
        """How many files with points it shows."""
        return (self.sensors or self.sweeps or (1, 1))[0]


def parse_joined(text: Mapping[str, str]) -> Joined:
    """Return what the text of an image says of the files it shows."""

    def parse(keyword: str) -> tuple[int, int] | None:
        if keyword not in text:
            return None
        found, wanted = text[keyword].split(" of ")
        return int(found), int(wanted)

    return Joined(parse(SWEEPS), parse(SENSORS))


class Part(NamedTuple):
    """A file whose points are in an image.

    Attributes
    ----------
    file : path-like
    layout : Layout
        How it is read; its frame has no meaning here.
    frame : Frame
        What brings its points to the axes of the image.
    camera : Camera or None
        What leaves out points that it does not see, in the axes of the file.
    age : int
        How many scans before that of the image it was made; below 0 for later ones.
    labels : PointLabels or None
    """

    file: PathLike
    layout: Layout
    frame: Frame
    camera: Camera | None = None
    age: int = 0
    labels: PointLabels | None = None


class Assembly(NamedTuple):
    """What an image is made of.

    Attributes
    ----------
    layout : Layout
        That of the image's scan.
    parts : tuple of Part
        In the order in which their points are drawn; that of the image's scan is the
        first.
    conditions : Conditions
        Digests of everything that decides `parts`, apart from the files.
    found : tuple of (str, int, int)
        One of `FOUND`, how many of them there are, and how many are wanted.
    kept : int
        Files that are worth keeping in memory, because images of scans around have
        points of them, too.
    """

    layout: Layout
    parts: tuple[Part, ...]
    conditions: Conditions = Conditions()
    found: tuple[tuple[str, int, int], ...] = ()
    kept: int = 0

    @property
    def without_labels(self) -> "Assembly":
        """Without labels of points."""
        parts = tuple(part._replace(labels=None) for part in self.parts)
        return self._replace(parts=parts)


def assemble_scan(
    file: PathLike, layout: Layout, camera: Camera | None = None
) -> Assembly:
    """Return the assembly of a single file."""
    conditions = Conditions(camera=camera.digest if camera else "")
    return Assembly(layout, (Part(file, layout, layout.frame, camera),), conditions)


class Assembled(NamedTuple):
    """The points of an image, before an encoding draws them.

    Attributes
    ----------
    points : ndarray of float32, shape (N, 4)
        x, y, z in metres and intensity, in the axes of the image.
    fields : dict of str to ndarray of float32, shape (N,)
        Their other numbers.
    left_out : LeftOut
        How many points of the files are not among them.
    current : int
        How many of them, the first, are of the image's own scan.
    text : dict of str to str
        The SHA-256 of the files, and how many there are, as an image's text has it.
    zero_bytes : int
        As `birdview.pixels.figures.Figures` has it.
    """

    points: NDArray[np.float32]
    fields: dict[str, NDArray[np.float32]]
    left_out: LeftOut
    current: int
    text: dict[str, str]
    zero_bytes: int

    def text_for(self, fields: Collection[str]) -> dict[str, str]:
        """Return the text of an image that shows some fields."""
        if CLASS in fields:
            return self.text
        own = (LABELS, LABELLED)
        return {key: value for key, value in self.text.items() if key not in own}


class _Read(NamedTuple):
    """What was read of a part."""

    cloud: Cloud
    digest: str
    labels_digest: str
    zero_bytes: int


class PartReader:
    """Reads the points of images.

    It keeps the memory that it reads scans into, and points of files that the next
    image is likely to need. Not safe to share between threads.
    """

    def __init__(self) -> None:
        self._buffer = ScanBuffer()
        self._kept: OrderedDict[Any, _Read] = OrderedDict()

    def read(self, assembly: Assembly, fields: Collection[str] = ()) -> Assembled:
        """Read the points of an image.

        Parameters
        ----------
        assembly : Assembly
        fields : collection of str
            Other numbers of points that are wanted.

        Returns
        -------
        Assembled
            Valid until the next call.

        Raises
        ------
        OSError
            If a file cannot be read.
        ValueError
            If its bytes cannot be points or labels; the message names the file.
        """
        parts = assembly.parts
        read = [self._read(part, fields, assembly) for part in parts]
        clouds = [one.cloud for one in read]
        if AGE in fields:
            clouds = [*map(_add_age, clouds, parts)]
        points, numbers, left_out, counts = place(
            clouds, [part.frame for part in parts], [part.camera for part in parts]
        )
        check_seen(clouds[0], counts[0], parts[0].file)
        while len(self._kept) > assembly.kept:
            self._kept.popitem(last=False)
        ages = [part.age for part in parts]
        current = sum(count for count, age in zip(counts, ages, strict=True) if not age)
        text = {
            SCAN: combine_digests(one.digest for one in read),
            LABELS: combine_digests(one.labels_digest for one in read),
        }
        if not any(one.labels_digest for one in read):
            del text[LABELS]
        for keyword, found, wanted in assembly.found:
            text[keyword] = f"{found} of {wanted}"
        zero_bytes = max(
            one.zero_bytes for one, age in zip(read, ages, strict=True) if not age
        )
        return Assembled(points, numbers, left_out, current, text, zero_bytes)

    def _read(self, part: Part, fields: Collection[str], assembly: Assembly) -> _Read:
        """Return the points of a part, from memory if they are kept."""
        if len(assembly.parts) == 1 and not assembly.kept:
            return _read_part(part, fields, self._buffer.read)
        key = part._replace(frame=Frame(), camera=None, age=0), *fields, _state(part)
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = _read_part(part, fields, read_bytes)
        return self._kept[key]


def _add_age(cloud: Cloud, part: Part) -> Cloud:
    """Return a cloud with the field `AGE`, unless the layout names one."""
    if part.layout.names(AGE):
        return cloud
    ages = np.full(len(cloud.columns[0]), part.age, dtype=np.float32)
    return cloud._replace(fields={**cloud.fields, AGE: ages})


def _state(part: Part) -> tuple[int, ...]:
    """Return what differs if a file of a part has changed."""
    files = [part.file] + ([part.labels.file] if part.labels else [])
    stats = [os.stat(file) for file in files]
    return tuple(number for one in stats for number in (one.st_size, one.st_mtime_ns))


def _read_part(
    part: Part,
    fields: Collection[str],
    read: Callable[[PathLike], NDArray[np.uint8]],
) -> _Read:
    labels_digest = ""

    def read_classes(count: int) -> NDArray[np.float32]:
        nonlocal labels_digest
        assert part.labels is not None
        file, form, classes = part.labels
        labels = read_labels(file)
        labels_digest = hashlib.sha256(labels.data).hexdigest()
        return decode_point_labels(labels, file, form, count, classes)

    with naming_memory_errors(part.file):
        data = read(part.file)
        more = {CLASS: read_classes} if CLASS in fields and part.labels else {}
        own = [name for name in fields if name not in more]
        cloud = decode_cloud(data, part.layout, part.file, own, more)
    # The digest of the bytes that are drawn: the file may have changed since.
    digest = hashlib.sha256(data.data).hexdigest()
    return _Read(cloud, digest, labels_digest, count_zero_bytes(data))


def combine_digests(digests: Iterable[str]) -> str:
    """Return the digest of a file, or the SHA-256 of those of several in a row."""
    first, *others = digests
    if not others:
        return first
    return hashlib.sha256("\n".join([first, *others]).encode()).hexdigest()
