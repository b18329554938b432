"""Decompress zlib streams, fast where most bytes are the same.

Source of the formats: RFC 1950 (zlib) and RFC 1951 (deflate).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_LIMIT = 15  # bits of a code
_END = 256
_PRIME = 65521  # of Adler-32

# What the symbols of lengths and distances stand for: RFC 1951, section 3.2.5.
_LENGTH_BITS = np.array([*(max(0, n // 4 - 1) for n in range(28)), 0])
_LENGTHS = np.append(3 + np.cumsum([0, *(1 << _LENGTH_BITS[:27])]), 258)
_DISTANCE_BITS = np.array([max(0, n // 2 - 1) for n in range(30)])
_DISTANCES = 1 + np.cumsum([0, *(1 << _DISTANCE_BITS[:29])])
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])


def inflate(stream: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Decompress a zlib stream of a known size.

    Parameters
    ----------
    stream : ndarray of uint8, shape (bytes,)
    size : int
        The number of bytes of the data.

    Returns
    -------
    ndarray of uint8, shape (size,)

    Raises
    ------
    ValueError
        If it is not a zlib stream, is damaged or cut, or its data has another size.

    Examples
    --------
    >>> import zlib
    >>> stream = np.frombuffer(zlib.compress(bytes(1000) + b"a street"), dtype=np.uint8)
    >>> inflate(stream, 1008)[-8:].tobytes()
    b'a street'
    """
    data = np.empty(size, dtype=np.uint8)
    header = int(stream[0]) << 8 | int(stream[1]) if len(stream) > 1 else 1
    # Deflate with a window of at most 32 KiB and no preset dictionary.
    if header % 31 or header >> 8 & 15 != 8 or header >> 12 > 7 or header & 32:
        raise ValueError("no zlib stream")
    used, check = _inflate(stream[2:], data)
    if used < 0 or bytes(stream[2 + used :]) != check.to_bytes(4, "big"):
        raise ValueError("a damaged or cut zlib stream, or one of another size")
    return data


@njit(nogil=True, cache=True)
def _inflate(stream, data):
    """Fill `data`; return the number of bytes of the stream used, and the Adler-32.

    -1 bytes if the stream is invalid.
    """
    codes = np.empty(1 << _LIMIT, dtype=np.int32)
    distance_codes = np.empty(1 << _LIMIT, dtype=np.int32)
    lengths = np.zeros(320, dtype=np.int64)
    bits = np.uint64(0), 0, 0  # bits of the stream, their number, bytes read
    filled, sums, is_last = 0, (1, 0), False
    while not is_last:
        bits = _hold(stream, bits)
        head, bits = _take(bits, 3)
        is_last = head & 1 == 1
        if head >> 1 == 0:
            start = filled
            filled, bits = _copy(stream, bits, data, filled)
            for byte in data[start : max(start, filled)]:
                sums = _add(sums, np.int64(byte), 1)
        else:
            count = -1  # a block of a type that does not exist
            if head >> 1 == 1:
                _fix_lengths(lengths)
                count = 288
            elif head >> 1 == 2:
                count, bits = _read_lengths(stream, bits, lengths, codes)
            if (
                count < 0
                or not lengths[_END]
                or not _tabulate(lengths[:count], codes, 1)
                or not _tabulate(lengths[count : count + 32], distance_codes, 1)
            ):
                return -1, 0
            filled, sums, bits = _decode(
                stream, bits, codes, distance_codes, data, filled, sums
            )
        if filled < 0 or bits[1] < 0:
            return -1, 0
    low, high = sums
    used = bits[2] - bits[1] // 8 if filled == len(data) else -1
    return used, high % _PRIME << 16 | low % _PRIME


@njit(inline="always")
def _add(sums, byte, times):
    """Return the sums after `times` steps of "low += byte; high += low", mod 65521."""
    low, high = sums
    high += times * low + byte * (times * (times + 1) // 2)
    low += times * byte
    if high > 1 << 40:
        low, high = low % _PRIME, high % _PRIME
    return low, high


@njit(nogil=True, cache=True)
def _hold(stream, bits):
    """Read up to 48 bits of the stream: enough for a length and its distance."""
    held, size, offset = bits
    while size < 48 and offset < len(stream):
        held |= np.uint64(stream[offset]) << np.uint64(size)
        size, offset = size + 8, offset + 1
    return held, size, offset


@njit(nogil=True, cache=True)
def _take(bits, count):
    held, size, offset = bits
    taken = held & ((np.uint64(1) << np.uint64(count)) - np.uint64(1))
    return np.int64(taken), (held >> np.uint64(count), size - count, offset)


@njit(nogil=True, cache=True)
def _copy(stream, bits, data, filled):
    """Copy a block that is not compressed."""
    _, bits = _take(bits, bits[1] % 8)
    count, bits = _take(bits, 16)
    complement, bits = _take(bits, 16)
    _, size, offset = bits
    offset -= size // 8
    if (
        size < 0
        or count ^ complement != 0xFFFF
        or offset + count > len(stream)
        or filled + count > len(data)
    ):
        return -1, bits
    data[filled : filled + count] = stream[offset : offset + count]
    return filled + count, (np.uint64(0), 0, offset + count)


@njit(nogil=True, cache=True)
def _fix_lengths(lengths):
    lengths[:144], lengths[144:256], lengths[256:280], lengths[280:288] = 8, 9, 7, 8
    lengths[288:] = 5


@njit(nogil=True, cache=True)
def _read_lengths(stream, bits, lengths, codes):
    """Read the lengths of a block's codes; return how many of them are for literals."""
    count, bits = _take(bits, 5)
    distances, bits = _take(bits, 5)
    own, bits = _take(bits, 4)
    count, distances, own = count + 257, distances + 1, own + 4
    if count > 286 or distances > 30:
        return -1, bits
    lengths[:] = 0
    for i in range(own):
        bits = _hold(stream, bits)
        lengths[_ORDER[i]], bits = _take(bits, 3)
    if not _tabulate(lengths[:19], codes, 0):
        return -1, bits
    lengths[:] = 0
    i = 0
    while i < count + distances:
        bits = _hold(stream, bits)
        symbol, bits = _symbol(bits, codes)
        value, times = symbol, 1
        if symbol == 16:
            value = lengths[i - 1] if i else -1
            times, bits = _take(bits, 2)
            times += 3
        elif symbol == 17:
            value = 0
            times, bits = _take(bits, 3)
            times += 3
        elif symbol == 18:
            value = 0
            times, bits = _take(bits, 7)
            times += 11
        if value < 0 or bits[1] < 0 or i + times > count + distances:
            return -1, bits
        lengths[i : i + times] = value
        i += times
    return count, bits


@njit(nogil=True, cache=True)
def _tabulate(lengths, codes, sparse):
    """Fill a table of what each 15 bits begin with: a symbol and its code's length.

    Return whether the codes are valid: complete, or at most `sparse` codes of one bit.
    zlib rejects other incomplete codes as well.
    """
    codes[:] = -1
    starts = np.zeros(_LIMIT + 2, dtype=np.int64)
    for length in lengths:
        if length:
            starts[length + 1] += 1
    start = 0
    for length in range(1, _LIMIT + 2):
        start = (start + starts[length]) << 1
        starts[length] = start
    used = np.count_nonzero(lengths)
    if starts[_LIMIT + 1] != 2 << _LIMIT and (used > sparse or lengths.max() > 1):
        return False
    for symbol in range(len(lengths)):
        length = lengths[symbol]
        if length:
            code, turned = starts[length], 0
            starts[length] += 1
            for _ in range(length):  # codes are written from their highest bit
                turned, code = turned << 1 | code & 1, code >> 1
            for entry in range(turned, 1 << _LIMIT, 1 << length):
                codes[entry] = symbol << 4 | length
    return True


@njit(nogil=True, cache=True)
def _symbol(bits, codes):
    """Take a symbol; -1 if there is no such code."""
    code = codes[np.int64(bits[0] & np.uint64((1 << _LIMIT) - 1))]
    if code < 0:
        return np.int64(-1), bits
    _, bits = _take(bits, code & 15)
    return np.int64(code >> 4), bits


@njit(nogil=True, cache=True)
def _decode(stream, bits, codes, distance_codes, data, filled, sums):
    """Decode the symbols of a block; return the end of the data so far, or -1.

    Also the sums of Adler-32: taking them here saves a pass over the data.
    """
    while True:
        bits = _hold(stream, bits)
        symbol, bits = _symbol(bits, codes)
        if symbol < 0 or symbol > 285 or bits[1] < 0:
            return -1, sums, bits
        if symbol == _END:
            return filled, sums, bits
        if symbol < _END:
            if filled == len(data):
                return -1, sums, bits
            data[filled] = symbol
            sums = _add(sums, symbol, 1)
            filled += 1
            continue
        extra, bits = _take(bits, _LENGTH_BITS[symbol - 257])
        count = _LENGTHS[symbol - 257] + extra
        symbol, bits = _symbol(bits, distance_codes)
        if symbol < 0 or symbol > 29:
            return -1, sums, bits
        extra, bits = _take(bits, _DISTANCE_BITS[symbol])
        distance = _DISTANCES[symbol] + extra
        if distance > filled or filled + count > len(data) or bits[1] < 0:
            return -1, sums, bits
        if distance == 1:
            data[filled : filled + count] = data[filled - 1]
            sums = _add(sums, np.int64(data[filled - 1]), count)
        else:
            for i in range(filled, filled + count):
                data[i] = data[i - distance]
                sums = _add(sums, np.int64(data[i]), 1)
        filled += count
