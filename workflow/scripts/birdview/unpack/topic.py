"""Unpack a topic of a bag: a scan for each message, and the layout of all."""

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from birdview.checks.summary import count_of
from birdview.files import PathLike, remove_abandoned, write_atomically
from birdview.pixels.layout import Layout
from birdview.pixels.schema import suggest
from birdview.provenance import digest_modules
from birdview.unpack.bag import Bag, Topic
from birdview.unpack.cloud import Cloud, Shape
from birdview.unpack.fields import (
    Derived,
    derive_layout,
    name_fields,
    sample_intensity,
)
from birdview.unpack.record import Record, list_scans, states_of

SAMPLES = 8
"""Messages whose intensities say which scale they have."""

_MAX_TOPICS = 20
_PACKETS = {
    "livox_ros_driver/CustomMsg": "set xfer_format: 0 in Livox's driver",
    "livox_ros_driver2/CustomMsg": "set xfer_format: 0 in Livox's driver",
    "velodyne_msgs/VelodyneScan": "run velodyne_pointcloud on the bag",
    "ouster_ros/PacketMsg": "run ouster_ros on the bag",
    "ouster_msgs/PacketMsg": "run ouster_ros on the bag",
    "ouster_sensor_msgs/PacketMsg": "run ouster_ros on the bag",
}
"""What makes point clouds of messages of other types."""


class Unpacked(NamedTuple):
    """What became of a topic.

    Attributes
    ----------
    scans : str
        The folder of the scans.
    layout : str
        The file of the layout.
    total : int
        All scans in the folder.
    written, removed : int
        The scans that were new or differed, and those that the bag no longer has.
    notes : sequence of str
        What a user has to know of the layout.
    """

    scans: str
    layout: str
    total: int
    written: int = 0
    removed: int = 0
    notes: Sequence[str] = ()


def unpack(
    bag: str,
    topic: str | None,
    folder: str,
    begin: Callable[[int], None],
    tell: Callable[[], None],
    is_stopped: Callable[[], bool],
) -> Unpacked:
    """Write a scan for each message of a topic, where it is not written yet.

    Parameters
    ----------
    bag : str
        The path of the bag.
    topic : str or None
    folder : str
        Scans go to a folder in it, named like the bag and the topic.
    begin : function
        Is called with the number of messages.
    tell : function
        Is called after each message.
    is_stopped : function
        Whether to stop before the next message.

    Raises
    ------
    OSError
        If a file cannot be written.
    ValueError
        If the bag, the topic or a message is bad, in one line. The other messages are
        unpacked nevertheless, as far as the bag can be read.
    """
    closed = Bag(bag)
    if topic is None:
        with closed as opened:
            raise ValueError(_list_clouds(opened))
    scans = f"{folder}/{_name_bag(bag)}/{_name_topic(topic)}"
    before, now = Record.read(f"{scans}.json"), _describe(bag, topic)
    if before and not before.is_of(now):
        raise ValueError(
            f"{bag}: {scans} holds scans of {before.topic} of {before.bag}, expected "
            f"those of one bag: rename the bag, or remove {scans} and {scans}.json"
        )
    if before and before.is_finished(now, scans) and os.path.exists(f"{scans}.yaml"):
        return Unpacked(scans, f"{scans}.yaml", len(before.sizes or {}))
    with closed as opened:
        found = _find_topic(opened, topic)
        os.makedirs(scans, exist_ok=True)
        now = now._replace(layout=before.layout if before else "")
        now.write(f"{scans}.json")
        begin(found.messages)
        writer = _Writer(opened, found, scans, now)
        for number, cloud in enumerate(opened.clouds(found), start=1):
            if is_stopped():
                raise ValueError(f"{bag}: stopped before its end: unpack it again")
            writer.add(number, cloud)
            tell()
    return writer.finish()


def _describe(bag: str, topic: str) -> Record:
    """Return the record of a topic of which no scan is there yet."""
    try:
        states = states_of(bag)
    except OSError as error:
        raise ValueError(
            f"{bag}: {error.strerror}, expected a bag that can be read"
        ) from None
    code = digest_modules("birdview.unpack.topic")
    return Record(os.path.abspath(bag), topic, states, code)


def _name_bag(bag: str) -> str:
    path = Path(os.path.abspath(bag))
    known = path.suffix in (".bag", ".mcap", ".db3")
    return path.stem if known else path.name


def _name_topic(topic: str) -> str:
    """Return a name for a folder: those of ROS have no other signs than / and _."""
    name = quote(topic.strip("/"), safe="/").replace("/", "-")
    return re.sub(r"^\.", "%2E", name) or "-"


def _list_clouds(bag: Bag) -> str:
    clouds = [topic for topic in bag.topics.values() if topic.has_clouds]
    if not clouds:
        return f"{bag.path}: {_describe_others(bag)}"
    names = ", ".join(f"{one} ({one.messages})" for one in clouds[:_MAX_TOPICS])
    more = f" and {len(clouds) - _MAX_TOPICS} more" if clouds[_MAX_TOPICS:] else ""
    settings = shlex.join([f"bag={bag.path}", f"topic={clouds[0]}"])
    return (
        f"topic: not set, expected one of those with point clouds in {bag.path}: "
        f"{names}{more}: snakemake unpack --config {settings}"
    )


def _describe_others(bag: Bag) -> str:
    """Say what a bag without point clouds has."""
    others = [*bag.topics.values()]
    others.sort(key=lambda one: not any(kind in _PACKETS for kind in one.kinds))
    names = ", ".join(
        f"{one} ({' and '.join(one.kinds)})" for one in others[:_MAX_TOPICS]
    )
    more = f" and {len(others) - _MAX_TOPICS} more" if others[_MAX_TOPICS:] else ""
    advice = _advise(others[0]) if others else "is it the right bag?"
    return (
        f"no topic of sensor_msgs/PointCloud2 among {names or 'no topics'}{more}, "
        f"expected one: {advice}"
    )


def _advise(topic: Topic) -> str:
    """Say what makes point clouds of the messages of a topic."""
    driver = next((_PACKETS[kind] for kind in topic.kinds if kind in _PACKETS), None)
    how = driver or "run the driver's conversion"
    return f"{how}, and record what it sends as sensor_msgs/PointCloud2"


def _find_topic(bag: Bag, name: str) -> Topic:
    topic = bag.topics.get(name)
    if topic is None:
        names = [str(one) for one in bag.topics.values() if one.has_clouds]
        if not names:
            raise ValueError(
                f"{bag.path}: no topic {name}, and {_describe_others(bag)}"
            )
        meant = f"/{name}" if f"/{name}" in names else None
        near = f" (did you mean {meant}?)" if meant else suggest(name, names)
        raise ValueError(
            f"{bag.path}: no topic {name}{near}, expected one of those with point "
            f"clouds: {', '.join(names[:_MAX_TOPICS])}"
        )
    if not topic.has_clouds:
        raise ValueError(
            f"{bag.path}: {name} has messages of {' and '.join(topic.kinds)}, expected "
            f"sensor_msgs/PointCloud2: {_advise(topic)}"
        )
    return topic


class _Writer:
    """Writes the scans of a topic, and what is known of them."""

    def __init__(self, bag: Bag, topic: Topic, scans: str, record: Record) -> None:
        self._bag, self._topic, self._scans, self._record = bag, topic, scans, record
        self._since = os.stat(f"{scans}.json").st_mtime_ns
        self._there: Mapping[str, int] = list_scans(scans)
        self._numbers: dict[int, int] = {}
        self._sizes: dict[str, int] = {}
        self._bad: list[str] = []
        self._shape: Shape | None = None
        self._layout: Layout | None = None
        self._intensities: list[NDArray[np.float64]] = []
        self._derived: Derived | None = None
        self._written = self._count = 0

    def add(self, number: int, cloud: Cloud | ValueError) -> None:
        """Write the scan of a message, if it differs from what is there.

        Raises
        ------
        ValueError
            If the message does not fit the others.
        """
        self._count = number
        where = f"{self._bag.path}: message {number} of {self._topic.name}"
        if isinstance(cloud, ValueError):
            self._bad.append(f"{where}: {cloud}")
            return
        self._check(cloud, number, where)
        self._write(f"{cloud.stamp:019}.bin", cloud.records)
        assert self._layout is not None
        if len(self._intensities) < SAMPLES:
            self._intensities.append(sample_intensity(self._layout, cloud.records))
            if len(self._intensities) == SAMPLES:
                self._write_layout()

    def _check(self, cloud: Cloud, number: int, where: str) -> None:
        if self._shape is None:
            try:
                self._layout = name_fields(cloud.shape)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
            self._shape = cloud.shape
        elif cloud.shape != self._shape:
            first = next(iter(self._numbers.values()))
            raise ValueError(
                f"{where}: fields {cloud.shape} found, expected those of message "
                f"{first}: {self._shape}"
            )
        other = self._numbers.setdefault(cloud.stamp, number)
        if other != number:
            why = (
                "the headers have no stamps: set them where the bag is recorded"
                if cloud.stamp == 0
                else "a message may have been recorded twice"
            )
            raise ValueError(
                f"{where}: stamp {cloud.stamp} as that of message {other}, expected "
                f"another: {why}"
            )

    def _write(self, name: str, records: NDArray[np.uint8]) -> None:
        path = f"{self._scans}/{name}"
        self._sizes[name] = records.size
        if self._there.get(name) == records.size and _holds(path, records):
            return
        write_atomically(path, records.data)
        self._written += 1

    def _write_layout(self) -> None:
        """Write the layout, unless it is there, edited or not.

        Raises
        ------
        ValueError
            If it is edited, and another one is needed now.
        """
        if self._layout is None:
            return
        source = f"{self._topic.name} in {os.path.basename(self._record.bag)}"
        derived = derive_layout(self._layout, self._intensities, source)
        self._derived = derived
        path, known = Path(f"{self._scans}.yaml"), self._record.layout
        if path.exists():
            is_edited = path.read_text("utf-8", "replace") not in (known, derived.text)
            if is_edited and derived.text != known:
                raise ValueError(
                    f"{path}: not as it was written, and the bag has other fields now, "
                    f"expected the file as it was: rename it"
                )
        if not path.exists() or derived.text != known:
            write_atomically(path, derived.text.encode())
        self._record = self._record._replace(layout=derived.text)
        self._record.write(f"{self._scans}.json")

    def finish(self) -> Unpacked:
        """Remove scans that the bag no longer has, and mark the topic as unpacked.

        Raises
        ------
        ValueError
            If a message was bad, or if there are fewer than the bag says.
        """
        if self._derived is None:
            self._write_layout()
        remove_abandoned(self._scans, self._since)
        self._check_all()
        old = self._there.keys() - self._sizes.keys()
        for name in old:
            os.unlink(f"{self._scans}/{name}")
        self._record._replace(sizes=self._sizes).write(f"{self._scans}.json")
        notes = self._derived.notes if self._derived else ()
        layout = f"{self._scans}.yaml"
        count = len(self._sizes)
        return Unpacked(self._scans, layout, count, self._written, len(old), notes)

    def _check_all(self) -> None:
        topic, good = self._topic, len(self._sizes)
        rest = f"{count_of(good, 'scan')} in {self._scans} from the others"
        if self._bad:
            raise ValueError(
                f"{self._bad[0]} (bad: {len(self._bad)} of "
                f"{count_of(self._count, 'message')}; {rest})"
            )
        if self._count != topic.messages:
            raise ValueError(
                f"{self._bag.path}: {count_of(self._count, 'message')} of {topic.name} "
                f"found, expected {topic.messages}, as the bag says: {self._bag.repair}"
            )
        if not good:
            raise ValueError(
                f"{self._bag.path}: no messages of {topic.name}, expected some"
            )


def _holds(path: PathLike, content: NDArray[np.uint8]) -> bool:
    try:
        return np.array_equal(np.fromfile(path, np.uint8), content)
    except OSError:
        return False
