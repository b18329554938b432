"""Read the point clouds of bags of ROS 1, ROS 2 and MCAP, one after another."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path, PosixPath
from typing import Any, NamedTuple, Self

from birdview.files import PathLike
from birdview.pixels.kinds import recognise_file
from birdview.pixels.readers.columns import MAX_DECODED
from birdview.unpack.cloud import KIND, Cloud, read_cloud

_SHORT = 1 << 20
"""Bytes that may be asked for at the end of a file, where there are fewer."""

_PROFILE = 17
"""Where the profile of an MCAP file starts: behind the signature, and the kind and the
size of the first record."""

_EXPECTED = "a ROS 1 bag, an MCAP file, or the folder of a ROS 2 bag"


class _Sort(NamedTuple):
    """A sort of bags: how files must end, and what repairs them."""

    name: str
    suffix: str
    repair: str


_FOLDER = _Sort("ROS 2 bag", "", "repair it with `ros2 bag reindex`")
_SORTS = {
    "a ROS 1 bag": _Sort("ROS 1 bag", ".bag", "repair it with `rosbag reindex`"),
    "an MCAP recording": _Sort("MCAP file", ".mcap", "repair it with `mcap recover`"),
    "an SQLite database, such as a ROS 2 bag": _Sort(
        "ROS 2 bag", ".db3", "copy it again, or repair it with `ros2 bag reindex`"
    ),
}
"""Of files, by what `birdview.pixels.kinds` calls them."""


class Topic(NamedTuple):
    """A topic of a bag.

    Attributes
    ----------
    name : str
    kinds : tuple of str
        The types of its messages, as ``sensor_msgs/PointCloud2``; mostly one.
    messages : int
        How many messages the bag says it has.
    """

    name: str
    kinds: tuple[str, ...]
    messages: int

    def __str__(self) -> str:
        """Return the name, on one line whatever is in it."""
        return self.name if self.name.isprintable() else repr(self.name)

    @property
    def has_clouds(self) -> bool:
        """Whether its messages are point clouds that can be read."""
        return self.kinds == (_shorten(KIND),)


class Bag:
    """A bag that is open; use it with ``with``.

    Parameters
    ----------
    path : path-like
        Of a ROS 1 bag, an MCAP file, a .db3 file, or the folder of a ROS 2 bag.

    Attributes
    ----------
    path : path-like
    topics : dict of str to Topic
        By name, sorted.

    Raises
    ------
    ValueError
        If there is no such bag, if it is damaged, or if rosbags is not installed; in
        one line, which starts with the path.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self._sort = _find_sort(path)
        self._is_ros1 = self._sort.suffix == ".bag"
        self._reader: Any = None

    def __enter__(self) -> Self:
        _check_installed(self.path)
        from rosbags import rosbag1, rosbag2
        from rosbags.serde import SerdeError

        module: Any = rosbag1 if self._is_ros1 else rosbag2
        types = _load_types(self._is_ros1)
        self._decode = (
            types.deserialize_ros1 if self._is_ros1 else types.deserialize_cdr
        )
        self._damage = SerdeError
        _limit_decoding()
        with self._one_line():
            reader = module.Reader(_CheckedPath(self.path))
            reader.open()
            self._reader = reader
        try:
            with self._one_line():
                self._is_compressed = self._take_compression(reader)
                self.topics = {
                    name: _describe_topic(name, topic)
                    for name, topic in sorted(reader.topics.items())
                }
        except ValueError:
            reader.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @property
    def repair(self) -> str:
        """What repairs such a bag."""
        return self._sort.repair

    def clouds(self, topic: Topic) -> Iterator[Cloud | ValueError]:
        """Yield the point clouds of a topic; in place of a bad one, what is wrong.

        Raises
        ------
        ValueError
            If the bag cannot be read any further.
        """
        wanted = [one for one in self._reader.connections if one.topic == topic.name]
        with self._one_line():
            messages = self._reader.messages(wanted)
        while True:
            with self._one_line():
                found = next(messages, None)
            if found is None:
                return
            yield self._read(found[2])

    def _read(self, content: bytes) -> Cloud | ValueError:
        try:
            if self._is_compressed:
                content = _decode_zstd(content)
            return read_cloud(self._decode(content, KIND))
        except ValueError as error:
            return error
        except self._damage as error:
            why = " ".join(str(error).split())[:200]
            return ValueError(f"cut or damaged, expected a whole message: {why}")

    def _take_compression(self, reader: Any) -> bool:
        """Return whether each message is compressed, and take it from rosbags.

        Because rosbags decodes a message to any size.
        """
        storage = getattr(reader, "storage", None)
        if storage is None or storage.metadata.compression_mode != "message":
            return False
        storage.metadata = storage.metadata._replace(compression_mode=None)
        return True

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        # A damaged bag makes rosbags raise almost anything.
        except Exception as error:
            if self._reader is None and isinstance(error, PermissionError):
                raise ValueError(
                    f"{self.path}: permission denied, expected a bag that can be read"
                ) from None
            why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ValueError(
                f"{self.path}: cannot be read ({why}), expected a whole "
                f"{self._sort.name}: {self._sort.repair}"
            ) from None


def _check_installed(path: PathLike) -> None:
    try:
        import_module("rosbags")
    except ModuleNotFoundError:
        raise ValueError(
            f"{path}: rosbags is not installed, expected it to read bags: "
            f"pip install -r envs/formats.txt"
        ) from None


@cache
def _load_types(is_ros1: bool) -> Any:
    """Return the types of messages; it takes 40 ms."""
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_HUMBLE)


def _find_sort(path: PathLike) -> _Sort:
    """Return what sort of bag it is; raise ValueError if it is none."""
    where = Path(path)
    if where.is_dir():
        _check_folder(where, path)
        return _FOLDER
    if not where.exists():
        raise ValueError(f"{path}: no such file or folder, expected {_EXPECTED}")
    if not where.is_file():
        raise ValueError(f"{path}: not a regular file, expected {_EXPECTED}")
    try:
        kind = recognise_file(where)
    except OSError as error:
        raise ValueError(
            f"{path}: {error.strerror}, expected a bag that can be read"
        ) from None
    if kind is None or kind.name not in _SORTS:
        size = where.stat().st_size
        found = kind.name if kind else f"a file of {size} bytes" if size else "nothing"
        raise ValueError(f"{path}: {found} found, expected {_EXPECTED}")
    sort = _SORTS[kind.name]
    if where.suffix != sort.suffix:
        raise ValueError(
            f"{path}: {kind.name} found, expected a name that ends in {sort.suffix}: "
            f"rename it"
        )
    if sort.suffix == ".mcap":
        _check_profile(where, path)
    return sort


def _check_profile(where: Path, path: PathLike) -> None:
    """Raise ValueError if an MCAP file is of another system than ROS 2."""
    with open(where, "rb") as file:
        file.seek(_PROFILE)
        size = int.from_bytes(file.read(4), "little")
        profile = file.read(min(size, 40)).decode("latin-1")
    if profile != "ros2":
        raise ValueError(
            f"{path}: an MCAP file of the profile {profile!r} found, expected 'ros2': "
            f"convert it to a ROS 2 bag, or record it as one"
        )


def _check_folder(where: Path, path: PathLike) -> None:
    if (where / "metadata.yaml").is_file():
        return
    inside = sorted(one.name for one in where.iterdir())
    bags = [name for name in inside if Path(name).suffix in (".bag", ".mcap", ".db3")]
    advice = f": set bag={os.path.join(path, bags[0])}" if bags else ""
    raise ValueError(
        f"{path}: a folder without metadata.yaml, expected {_EXPECTED}{advice}"
    )


def _shorten(kind: str) -> str:
    """Return the type of a message as ROS 1 writes it."""
    return kind.replace("/msg/", "/")


def _describe_topic(name: str, topic: Any) -> Topic:
    kinds = sorted({_shorten(one.msgtype) for one in topic.connections})
    kinds = [kind if kind.isprintable() else repr(kind) for kind in kinds]
    return Topic(name, tuple(kinds), int(topic.msgcount))


class _CheckedFile(io.BufferedReader):
    """A file in which no more bytes can be asked for than there are.

    Or Python takes memory for a billion that a damaged bag speaks of.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _SHORT:
            left = os.fstat(self.fileno()).st_size - self.tell()
            if size > left:
                raise ValueError(f"{size} bytes declared, but {left} are left")
        return super().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(_SHORT)


class _CheckedPath(PosixPath):
    """The path that rosbags opens files by."""

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode == "rb":
            return _CheckedFile(io.FileIO(self))
        return super().open(mode, *arguments, **options)


def _limit_decoding() -> None:
    """Make rosbags decode compressed chunks up to a limit."""
    from rosbags.rosbag1 import reader
    from rosbags.rosbag2 import storage_mcap

    reader.decompressors.update(bz2=_decode_bz2, lz4=_decode_lz4)
    storage_mcap.DECOMPRESSORS.update(
        lz4=lambda data, _: _decode_lz4(data), zstd=lambda data, _: _decode_zstd(data)
    )


def _decode_bz2(data: bytes) -> bytes:
    import bz2

    return _decode(bz2.BZ2Decompressor(), data)


def _decode_lz4(data: bytes) -> bytes:
    from lz4.frame import LZ4FrameDecompressor

    return _decode(LZ4FrameDecompressor(), data)


def _decode_zstd(data: bytes) -> bytes:
    from rosbags.rosbag2.reader import zstd

    try:
        return _decode(zstd.ZstdDecompressor(), data)
    except zstd.ZstdError as error:
        raise ValueError(f"damaged zstd found, expected a whole one: {error}") from None


def _decode(decoder: Any, data: bytes) -> bytes:
    content: bytes = decoder.decompress(data, MAX_DECODED)
    if not decoder.eof:
        raise ValueError(
            f"a part that is cut, or more than {MAX_DECODED} bytes when it is decoded"
        )
    return content
