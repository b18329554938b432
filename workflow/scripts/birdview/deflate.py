"""Deflate: bytes become fewer, fast where most of them are the same.

A map is black but for some per cent of its pixels. So the only repetition looked for
is a run of one byte, and the rest is left to a Huffman code that is made for it. There
is no level to choose and no other path for another processor: the same data gives the
same bytes on every machine.

Source of the formats: RFC 1950 (zlib) and RFC 1951 (deflate).
"""

import numpy as np
from numba import njit

# A token is a byte, the end of a block, or END and the length of a run: that many more
# of the byte before it.
END = 256
SHORTEST, LONGEST = 3, 258

BLOCK = 1 << 16
"""Tokens in a block, about: each block has a code of its own."""

STRETCH = 64 * LONGEST
"""The most bytes of a run that are made into tokens at once."""

CODE_LIMIT = 15
"""The most bits of a code."""


def deflate(data):
    """Deflate bytes to a zlib stream.

    Parameters
    ----------
    data : ndarray of uint8, shape (size,)
        Contiguous, and not empty.

    Returns
    -------
    ndarray of uint8, shape (fewer,)

    Examples
    --------
    >>> import zlib
    >>> stream = deflate(np.zeros(1_000_000, dtype=np.uint8))
    >>> zlib.decompress(stream) == bytes(1_000_000)
    True
    """
    return _deflate(data, data[: len(data) // 8 * 8].view(np.uint64))


def _symbols():
    """Return how each token is written: a symbol, by its code, and some extra bits.

    RFC 1951, section 3.2.5.
    """
    symbols = np.arange(END + LONGEST + 1)
    extras, extra_sizes = np.zeros((2, len(symbols)), dtype=np.int64)
    token = END + SHORTEST
    for symbol in range(END + 1, END + 29):
        size = max(0, (symbol - END - 5) // 4)
        for extra in range(1 << size):
            symbols[token], extras[token], extra_sizes[token] = symbol, extra, size
            token += 1
    symbols[-1], extras[-1], extra_sizes[-1] = END + 29, 0, 0
    # After a length comes its distance: the code of 1, the only one in use, is one bit.
    extra_sizes[END + SHORTEST :] += 1
    return symbols, extras, extra_sizes


_SYMBOLS, _EXTRAS, _EXTRA_SIZES = _symbols()
_SYMBOL_COUNT = END + 30


@njit(nogil=True, cache=True)
def _deflate(data, words):
    # A token takes at most 15 bits for each of its bytes; the rest is for headers.
    stream = np.empty(2 * len(data) + 4096, dtype=np.uint8)
    stream[0], stream[1] = 0x78, 0x01  # deflate, with a window of 32 KiB
    tokens = np.empty(BLOCK + STRETCH // LONGEST + SHORTEST, dtype=np.int16)
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
    for part in (high >> 8, high & 255, low >> 8, low & 255):
        stream[size] = part
        size += 1
    return stream[:size]


@njit(nogil=True, cache=True)
def _tokenize(data, words, start, sums, tokens):
    """Turn data from the start on into the tokens of one block.

    Return the number of tokens, where the data goes on, and the two sums of Adler-32.
    """
    low, high = sums
    count, i = 0, start
    while i < len(data) and count < BLOCK:
        byte = np.int64(data[i])
        if i > 0 and byte == data[i - 1]:
            end = _end_of_run(data, words, i)
            if end - i >= SHORTEST:
                run = end - i
                # What `run` steps of "low += byte, high += low" come to.
                high += run * low + byte * (run * (run + 1) // 2)
                low += run * byte
                while run >= SHORTEST:
                    tokens[count] = END + min(run, LONGEST)
                    count += 1
                    run -= min(run, LONGEST)
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
    """Return where the byte at the start is followed by another, within `STRETCH`."""
    byte = data[start]
    same = np.uint64(byte) * np.uint64(0x0101010101010101)
    limit = min(len(data), start + STRETCH)
    end = start + 1
    while end < limit and end % 8 and data[end] == byte:
        end += 1
    if end % 8 == 0:
        # Four words at a time: this is where most of a map goes by.
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
    # The tree: leaves from the rarest on, then the nodes above in the order they arise.
    leaves = 0
    symbols = np.empty(len(counts), dtype=np.int64)
    for symbol in range(len(counts)):
        if counts[symbol]:
            place = leaves
            while place and counts[symbols[place - 1]] > counts[symbol]:
                symbols[place] = symbols[place - 1]
                place -= 1
            symbols[place] = symbol
            leaves += 1
    nodes = 2 * leaves - 1
    weights = np.empty(nodes, dtype=np.int64)
    parents = np.empty(nodes, dtype=np.int64)
    for leaf in range(leaves):
        weights[leaf] = counts[symbols[leaf]]
    lengths = np.zeros(len(counts), dtype=np.int64)
    longest = CODE_LIMIT + 1
    while longest > CODE_LIMIT:
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
            weights[leaf] = (weights[leaf] + 1) // 2  # flatter, should it be too long
    return lengths


@njit(nogil=True, cache=True)
def _codes(lengths):
    """Return the codes of these lengths. RFC 1951, section 3.2.2."""
    codes = np.zeros(len(lengths), dtype=np.int64)
    code = 0
    for length in range(1, CODE_LIMIT + 1):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                codes[symbol] = _reverse(code, length)
                code += 1
        code *= 2
    return codes


@njit(nogil=True, cache=True)
def _reverse(code, length):
    # A stream is filled from the lowest bit on, but codes start with their highest.
    backwards = 0
    for _ in range(length):
        backwards = backwards << 1 | code & 1
        code >>= 1
    return backwards


@njit(nogil=True, cache=True)
def _header(lengths, final):
    """Return what is written before the tokens of a block, as `_pack` takes it.

    RFC 1951, section 3.2.7. The lengths of the codes are themselves in a code: 4 bits
    for each of 0 to 15, and none for the three signs of a repetition, which the format
    has first.
    """
    fields = 23 + len(lengths) + 1
    bits = np.zeros(fields, dtype=np.int64)
    sizes = np.empty(fields, dtype=np.int64)
    bits[0], sizes[0] = int(final) | 2 << 1, 3  # with codes of its own
    bits[1], sizes[1] = len(lengths) - 257, 5
    bits[2], sizes[2] = 1 - 1, 5  # distances
    bits[3], sizes[3] = 19 - 4, 4
    for i in range(19):
        bits[4 + i], sizes[4 + i] = 0 if i < 3 else 4, 3
    for i in range(len(lengths) + 1):
        length = lengths[i] if i < len(lengths) else 1  # of the one distance
        bits[23 + i], sizes[23 + i] = _reverse(length, 4), 4
    return np.arange(fields).astype(np.int16), bits, sizes


@njit(nogil=True, cache=True)
def _pack(tokens, bits, sizes, stream, written):
    """Append the bits of each token to the stream.

    `written` says what is there so far: a number of bytes, then bits that do not yet
    fill two bytes, and their number.
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
