"""The dense encoder: what walks every byte of an image, to compare the sparse one with.

It finds runs in the bytes of the lines themselves, and packs bits in its own way; the
Huffman code is that of the sparse one.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from birdview.pixels.deflate import (
    _EXTRA_SIZES,
    _EXTRAS,
    _SYMBOL_COUNT,
    _SYMBOLS,
    BLOCK_TOKENS,
    END,
    MAX_RUN,
    MAX_STRETCH,
    MIN_RUN,
    _code_lengths,
    _codes,
    _header,
)

# Not cached: a cached kernel would not notice a change of what it calls there.


def deflate(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compress bytes to a zlib stream.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        Contiguous and not empty.

    Returns
    -------
    ndarray of uint8, shape (n,)

    Examples
    --------
    >>> import zlib
    >>> stream = deflate(np.zeros(1_000_000, dtype=np.uint8))
    >>> zlib.decompress(stream) == bytes(1_000_000)
    True
    """
    stream: NDArray[np.uint8] = _deflate(
        data, data[: len(data) // 8 * 8].view(np.uint64)
    )
    return stream


@njit(nogil=True)
def _deflate(data, words):
    # A token takes at most 15 bits for each of its bytes; the rest is for headers.
    stream = np.empty(2 * len(data) + 4096, dtype=np.uint8)
    stream[0], stream[1] = 0x78, 0x01  # deflate, with a window of 32 KiB
    tokens = np.empty(BLOCK_TOKENS + MAX_STRETCH // MAX_RUN + MIN_RUN, dtype=np.int16)
    bits = np.empty(len(_SYMBOLS), dtype=np.int64)
    sizes = np.empty(len(_SYMBOLS), dtype=np.int64)
    start, sums, written = 0, (1, 0), (2, 0, 0)
    while start < len(data):
        count, start, sums = _tokenize(data, words, start, sums, tokens)
        counts = np.zeros(_SYMBOL_COUNT, dtype=np.int64)
        for token in tokens[:count]:
            counts[_SYMBOLS[token]] += 1
        lengths = _code_lengths(counts)
        codes = _codes(lengths)
        fields, entries = _header(lengths, start == len(data))
        header_bits = (entries >> np.uint32(5)).astype(np.int64)
        header_sizes = (entries & np.uint32(31)).astype(np.int64)
        written = _pack(fields, header_bits, header_sizes, stream, written)
        for token in range(len(_SYMBOLS)):
            symbol = _SYMBOLS[token]
            bits[token] = codes[symbol] | _EXTRAS[token] << lengths[symbol]
            sizes[token] = lengths[symbol] + _EXTRA_SIZES[token]
        written = _pack(tokens[:count], bits, sizes, stream, written)
    size, held, held_size = written
    while held_size > 0:
        stream[size] = held & 255
        size, held, held_size = size + 1, held >> 8, held_size - 8
    low, high = sums
    for byte in (high >> 8, high & 255, low >> 8, low & 255):
        stream[size] = byte
        size += 1
    return stream[:size]


@njit(nogil=True)
def _tokenize(data, words, start, sums, tokens):
    """Turn data from `start` on into the tokens of one block.

    Return the number of tokens, where the next block starts, and the sums of Adler-32.
    """
    low, high = sums
    count, i = 0, start
    while i < len(data) and count < BLOCK_TOKENS:
        byte = np.int64(data[i])
        if i > 0 and byte == data[i - 1]:
            end = _end_of_run(data, words, i)
            if end - i >= MIN_RUN:
                run = end - i
                # The sum of `run` steps of "low += byte; high += low".
                high += run * low + byte * (run * (run + 1) // 2)
                low += run * byte
                while run >= MIN_RUN:
                    tokens[count] = END + min(run, MAX_RUN)
                    count += 1
                    run -= min(run, MAX_RUN)
                for _ in range(run):
                    tokens[count] = byte
                    count += 1
                i = end
                continue
        tokens[count] = byte
        count += 1
        low += byte
        high += low
        i += 1
    tokens[count] = END
    return count + 1, i, (low % 65521, high % 65521)


@njit(inline="always")
def _end_of_run(data, words, start):
    """Return where the run of the byte at `start` ends, within `MAX_STRETCH`."""
    byte = data[start]
    same = np.uint64(byte) * np.uint64(0x0101010101010101)
    limit = min(len(data), start + MAX_STRETCH)
    end = start + 1
    while end < limit and end % 8 and data[end] == byte:
        end += 1
    if end % 8 == 0:
        # Four words at a time: most of an image is skipped here.
        while end + 32 <= limit and not (
            (words[end // 8] ^ same)
            | (words[end // 8 + 1] ^ same)
            | (words[end // 8 + 2] ^ same)
            | (words[end // 8 + 3] ^ same)
        ):
            end += 32
        while end + 8 <= limit and words[end // 8] == same:
            end += 8
        while end < limit and data[end] == byte:
            end += 1
    return end


@njit(nogil=True)
def _pack(tokens, bits, sizes, stream, written):
    """Append the bits of each token to the stream.

    `written` is the state of the stream: the number of bytes, then bits that do not
    fill two bytes yet, and their number.
    """
    size, held, held_size = written
    for token in tokens:
        held |= bits[token] << held_size
        held_size += sizes[token]
        while held_size >= 16:
            stream[size] = held & 255
            stream[size + 1] = held >> 8 & 255
            size, held, held_size = size + 2, held >> 16, held_size - 16
    return size, held, held_size
