"""The dense encoder: what walks every byte of an image, to compare the sparse one with.

It has the same Huffman code, but finds runs in the bytes of the lines themselves.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

# A token is a byte, the end of a block, or END plus the length of a run: that many more
# of the byte before it.
END = 256
MIN_RUN, MAX_RUN = 3, 258

BLOCK_TOKENS = 1 << 16
"""Tokens in a block, about: each block has a code of its own."""

MAX_STRETCH = 64 * MAX_RUN
"""The most bytes of a run that become tokens at once."""

MAX_CODE_BITS = 15


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


def _symbols() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how each token is written: the symbol, the extra bits and their number.

    RFC 1951, section 3.2.5.
    """
    symbols = np.arange(END + MAX_RUN + 1)
    extras, extra_sizes = np.zeros((2, len(symbols)), dtype=np.int64)
    token = END + MIN_RUN
    for symbol in range(END + 1, END + 29):
        size = max(0, (symbol - END - 5) // 4)
        for extra in range(1 << size):
            symbols[token], extras[token], extra_sizes[token] = symbol, extra, size
            token += 1
    symbols[-1], extras[-1], extra_sizes[-1] = END + 29, 0, 0
    # After a length comes its distance: the code of 1, the only one used, is one bit.
    extra_sizes[END + MIN_RUN :] += 1
    return symbols, extras, extra_sizes


_SYMBOLS, _EXTRAS, _EXTRA_SIZES = _symbols()
_SYMBOL_COUNT = END + 30


@njit(nogil=True, cache=True)
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
        written = _pack(*_header(lengths, start == len(data)), stream, written)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _code_lengths(counts):
    """Return the length of each symbol's code in bits, by Huffman's algorithm.

    0 for a symbol that does not occur. At least two must.
    """
    # The tree: leaves from the rarest on, then the nodes above as they are made.
    leaves = 0
    symbols = np.empty(len(counts), dtype=np.int64)
    for symbol in range(len(counts)):
        if counts[symbol]:
            i = leaves
            while i and counts[symbols[i - 1]] > counts[symbol]:
                symbols[i] = symbols[i - 1]
                i -= 1
            symbols[i] = symbol
            leaves += 1
    nodes = 2 * leaves - 1
    weights = np.empty(nodes, dtype=np.int64)
    parents = np.empty(nodes, dtype=np.int64)
    for leaf in range(leaves):
        weights[leaf] = counts[symbols[leaf]]
    lengths = np.zeros(len(counts), dtype=np.int64)
    longest = MAX_CODE_BITS + 1
    while longest > MAX_CODE_BITS:
        leaf, node = 0, leaves
        for parent in range(leaves, nodes):
            weights[parent] = 0
            for _ in range(2):
                if leaf < leaves and (node == parent or weights[leaf] <= weights[node]):
                    child, leaf = leaf, leaf + 1
                else:
                    child, node = node, node + 1
                weights[parent] += weights[child]
                parents[child] = parent
        depths = np.zeros(nodes, dtype=np.int64)
        for child in range(nodes - 2, -1, -1):
            depths[child] = depths[parents[child]] + 1
        longest = depths[0]  # no code is longer than that of the rarest symbol
        for leaf in range(leaves):
            lengths[symbols[leaf]] = depths[leaf]
            weights[leaf] = (weights[leaf] + 1) // 2  # flatter, if it was too long
    return lengths


@njit(nogil=True, cache=True)
def _codes(lengths):
    """Return the codes of these lengths. RFC 1951, section 3.2.2."""
    codes = np.zeros(len(lengths), dtype=np.int64)
    code = 0
    for length in range(1, MAX_CODE_BITS + 1):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                codes[symbol] = _reverse(code, length)
                code += 1
        code *= 2
    return codes


@njit(nogil=True, cache=True)
def _reverse(code, length):
    # A stream is filled from the lowest bit, but codes start with their highest.
    backwards = 0
    for _ in range(length):
        backwards = backwards << 1 | code & 1
        code >>= 1
    return backwards


@njit(nogil=True, cache=True)
def _header(lengths, final):
    """Return the header of a block, as tokens for `_pack`.

    RFC 1951, section 3.2.7. The lengths of the codes are written in a code of their
    own: 4 bits for each length from 0 to 15, and none for the three symbols of
    repetition, which come first.
    """
    fields = 23 + len(lengths) + 1
    bits = np.zeros(fields, dtype=np.int64)
    sizes = np.empty(fields, dtype=np.int64)
    bits[0], sizes[0] = int(final) | 2 << 1, 3  # dynamic codes
    bits[1], sizes[1] = len(lengths) - 257, 5
    bits[2], sizes[2] = 1 - 1, 5  # distances
    bits[3], sizes[3] = 19 - 4, 4
    for i in range(19):
        bits[4 + i], sizes[4 + i] = 0 if i < 3 else 4, 3
    for i in range(len(lengths) + 1):
        length = lengths[i] if i < len(lengths) else 1  # of the only distance
        bits[23 + i], sizes[23 + i] = _reverse(length, 4), 4
    return np.arange(fields).astype(np.int16), bits, sizes


@njit(nogil=True, cache=True)
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
