"""Compress images that are mostly black, to the same bytes on every machine.

All but a few per cent of a bird's-eye view are black. So the only repetition this looks
for is a run of one byte; a Huffman code made for the rest does the rest. There are no
levels, and no other code path for another processor.

Source of the formats: RFC 1950 (zlib) and RFC 1951 (deflate).
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


def deflate(
    rows: int,
    cols: int,
    background: int,
    pixels: NDArray[np.int32],
    shades: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Compress the lines of an image to a zlib stream.

    Each line starts with the number of its filter, 0 for none, as PNG has it.

    Parameters
    ----------
    rows, cols, background, pixels, shades
        As `birdview.pixels.drawing.Drawing` has them.

    Returns
    -------
    ndarray of uint8, shape (n,)
    """
    words, size = _deflate(rows, cols, background, pixels, shades)
    stream: NDArray[np.uint8] = words.astype("<u4", copy=False).view(np.uint8)[:size]
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
def _deflate(rows, cols, background, pixels, shades):
    """Return the words of a stream, and its size in bytes."""
    places, values = _list_bytes(rows, cols, background, pixels, shades)
    length = rows * (1 + shades.shape[1] * cols)
    # A token takes at most 15 bits for each of its bytes; the rest is for headers.
    words = np.empty(length // 2 + 1024, dtype=np.uint32)
    tokens = np.empty(BLOCK_TOKENS + MAX_STRETCH // MAX_RUN + MIN_RUN, dtype=np.int16)
    counts = np.zeros(END + MAX_RUN + 1, dtype=np.int64)
    written = 0, np.uint64(0x0178), 16  # deflate, with a window of 32 KiB
    count, low, high = 0, 1, 0
    i, start, end = 0, 0, 0
    background = np.int64(background)
    while start < length:
        byte = background
        if places[i] == start:
            byte = np.int64(values[i])
        while True:
            if places[i] > end:
                if byte != background:
                    break
                end = np.int64(places[i])
            elif values[i] == byte and end < length:
                i += 1
                end += 1
            else:
                break
        run = end - start
        # Here and not in a function, a call of which for each run takes four times as
        # long as all the rest.
        if run <= MAX_RUN and count < BLOCK_TOKENS - MIN_RUN:
            tokens[count] = byte
            counts[byte] += 1
            count += 1
            if run > MIN_RUN:
                token = END + run - 1
                tokens[count] = token
                counts[token] += 1
                count += 1
            else:
                for _ in range(run - 1):
                    tokens[count] = byte
                    counts[byte] += 1
                    count += 1
            high += run * low + byte * (run * (run + 1) // 2)
            low += run * byte
        else:
            count, low, high, written = _add_long(
                byte, run, (count, low, high, written), tokens, counts, words
            )
        start = end
    _, low, high, (size, held, held_size) = _end_block(
        (count, low, high, written), tokens, counts, words, True
    )
    held_size = -(-held_size // 8) * 8
    check = high << 16 | low
    for shift in (24, 16, 8, 0):
        held |= np.uint64(check >> shift & 255) << np.uint64(held_size)
        held_size += 8
    words[size] = np.uint32(held)
    words[size + 1] = np.uint32(held >> np.uint64(32))
    return words, 4 * size + held_size // 8


@njit(nogil=True, cache=True)
def _list_bytes(rows, cols, background, pixels, shades):
    """Return the places and the values of bytes in all lines that are not background.

    Ascending, with the end of the lines as the last. Filters, which are 0, are among
    them if the background is another byte.
    """
    samples = shades.shape[1]
    filters = 0 if background == 0 else rows
    places = np.empty(len(pixels) * samples + filters + 1, dtype=np.uint32)
    values = np.empty(len(places), dtype=np.uint8)
    count, line_end, row = 0, 0, 0
    for i in range(len(pixels)):
        while pixels[i] >= line_end:
            if filters:
                places[count] = row * (1 + samples * cols)
                values[count] = 0
                count += 1
            line_end += cols
            row += 1
        for sample in range(samples):
            places[count] = pixels[i] * samples + row + sample
            values[count] = shades[i, sample]
            count += 1
    while row < rows:
        if filters:
            places[count] = row * (1 + samples * cols)
            values[count] = 0
            count += 1
        row += 1
    places[count] = rows * (1 + samples * cols)
    values[count] = 0
    return places, values


@njit(nogil=True, cache=True)
def _add_long(byte, run, state, tokens, counts, words):
    """Add a run that takes several tokens, or that may end a block.

    `state` is the number of tokens, the sums of Adler-32, and that of `_pack`.
    """
    stretch = 1
    while run:
        if state[0] >= BLOCK_TOKENS:
            state = _end_block(state, tokens, counts, words, False)
        count, low, high, written = state
        if stretch < MIN_RUN:
            stretch = 1
            tokens[count] = byte
            counts[byte] += 1
            count += 1
        else:
            left = stretch
            while left >= MIN_RUN:
                token = END + min(left, MAX_RUN)
                tokens[count] = token
                counts[token] += 1
                count += 1
                left -= token - END
            for _ in range(left):
                tokens[count] = byte
                counts[byte] += 1
                count += 1
        high += stretch * low + byte * (stretch * (stretch + 1) // 2)
        low += stretch * byte
        state = count, low, high, written
        run -= stretch
        stretch = min(run, MAX_STRETCH)
    return state


@njit(nogil=True, cache=True)
def _end_block(state, tokens, counts, words, final):
    """Write the tokens as a block; return the state of the next: see `_add_long`."""
    count, low, high, written = state
    tokens[count] = END
    counts[END] = 1
    symbol_counts = np.zeros(_SYMBOL_COUNT, dtype=np.int64)
    for token in range(len(counts)):
        symbol_counts[_SYMBOLS[token]] += counts[token]
    counts[:] = 0
    lengths = _code_lengths(symbol_counts)
    codes = _codes(lengths)
    entries = np.empty(len(_SYMBOLS), dtype=np.uint32)
    for token in range(len(_SYMBOLS)):
        symbol = _SYMBOLS[token]
        bits = codes[symbol] | _EXTRAS[token] << lengths[symbol]
        entries[token] = bits << 5 | lengths[symbol] + _EXTRA_SIZES[token]
    written = _pack(*_header(lengths, final), words, written)
    written = _pack(tokens[: count + 1], entries, words, written)
    return 0, low % 65521, high % 65521, written


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
    entries = (bits << 5 | sizes).astype(np.uint32)
    return np.arange(fields).astype(np.int16), entries


@njit(nogil=True, cache=True)
def _pack(tokens, entries, words, written):
    """Append the bits of each token to the stream.

    `written` is the state of the stream: the number of words, then bits that do not
    fill one yet, and their number.
    """
    size, held, held_size = written
    for token in tokens:
        entry = entries[token]
        held |= np.uint64(entry >> np.uint32(5)) << np.uint64(held_size)
        held_size += np.int64(entry & np.uint32(31))
        if held_size >= 32:
            words[size] = np.uint32(held)
            size, held, held_size = size + 1, held >> np.uint64(32), held_size - 32
    return size, held, held_size
