"""Add up what the batches of an Arrow file become, before any is decoded."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = b"ARROW1"

_DICTIONARIES, _BATCHES = 2, 3
"""Fields of the footer: where such messages are."""
_KIND, _HEADER = 1, 2
"""Fields of a message."""
_DICTIONARY = 2
"""The kind of message whose batch is one level deeper, in its field 1."""
_BUFFERS, _COMPRESSION = 2, 3
"""Fields of a batch."""
_OLD_COMPRESSION = b"ARROW:experimental_compression"
"""Arrow 0.17 said in the metadata of a message that it is compressed."""


class _Table(NamedTuple):
    """A table of FlatBuffers, the format of Arrow's metadata."""

    content: bytes
    start: int

    def find(self, field: int) -> int | None:
        """Return where a field is, or None."""
        (back,) = struct.unpack_from("<i", self.content, self.start)
        fields = self.start - back
        (size,) = struct.unpack_from("<H", self.content, fields)
        if 4 + 2 * field >= size:
            return None
        (ahead,) = struct.unpack_from("<H", self.content, fields + 4 + 2 * field)
        return self.start + ahead if ahead else None

    def follow(self, field: int) -> int | None:
        """Return where the table or vector of a field is, or None."""
        found = self.find(field)
        if found is None:
            return None
        return found + int(struct.unpack_from("<I", self.content, found)[0])

    def table(self, field: int) -> "_Table":
        """Return the table of a field, which there must be."""
        found = self.follow(field)
        if found is None:
            raise ValueError(f"no field {field}")
        return _Table(self.content, found)

    def structs(self, field: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
        """Return the structs of a vector, none if it has no such field."""
        found = self.follow(field)
        if found is None:
            return np.empty(0, dtype)
        (count,) = struct.unpack_from("<I", self.content, found)
        return np.frombuffer(self.content, dtype, count, found + 4)


_BLOCK = np.dtype([("start", "<i8"), ("head", "<i4"), ("_", "<i4"), ("body", "<i8")])
_BUFFER = np.dtype([("start", "<i8"), ("size", "<i8")])


def decoded_size(data: NDArray[np.uint8]) -> int:
    """Return how many bytes the columns of an Arrow file are.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        The content of the file.

    Returns
    -------
    int
        Of all batches, as compressed buffers say themselves.

    Raises
    ------
    ValueError
        If its metadata are damaged.
    """
    try:
        return sum(_sizes(data))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"damaged metadata: {error}") from None


def _sizes(data: NDArray[np.uint8]) -> Iterator[int]:
    end = data.size - len(MAGIC) - 4
    (size,) = struct.unpack_from("<i", data.data, max(end, 0))
    if not 4 <= size <= end:
        raise ValueError(f"a footer of {size} bytes in a file of {data.size}")
    footer = _root(data[end - size : end].tobytes(), 0)
    blocks = np.concatenate(
        [footer.structs(field, _BLOCK) for field in (_DICTIONARIES, _BATCHES)]
    ).tolist()
    # Blocks that overlap would make much of few bytes.
    if sum(head + body for _, head, _, body in blocks) > data.size or any(
        min(start, head, body) < 0 for start, head, _, body in blocks
    ):
        raise ValueError(f"{len(blocks)} batches that do not fit in {data.size} bytes")
    for start, head, _, _ in blocks:
        yield from _sizes_of_batch(data[start:][:head].tobytes(), data[start + head :])


def _sizes_of_batch(head: bytes, body: NDArray[np.uint8]) -> Iterator[int]:
    message = _root(head, 8 if head.startswith(b"\xff" * 4) else 4)
    batch = message.table(_HEADER)
    kind = message.find(_KIND)
    if kind is not None and head[kind] == _DICTIONARY:
        batch = batch.table(1)
    is_packed = batch.find(_COMPRESSION) is not None or _OLD_COMPRESSION in head
    for start, size in batch.structs(_BUFFERS, _BUFFER).tolist():
        if start < 0 or size < 0 or start + size > body.size:
            raise ValueError(f"{size} bytes of a column beyond the end")
        decoded = -1
        if is_packed and size:
            (decoded,) = struct.unpack_from("<q", body.data, start)
        # -1 says that this one was not worth it.
        yield decoded if decoded >= 0 else size


def _root(content: bytes, start: int) -> _Table:
    (ahead,) = struct.unpack_from("<I", content, start)
    return _Table(content, start + ahead)
