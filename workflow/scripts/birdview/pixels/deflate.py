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
    *,
    filters: bool = True,
) -> NDArray[np.uint8]:
    """Compress the lines of an image to a zlib stream.

    Parameters
    ----------
    rows, cols, background, pixels, shades
        As `birdview.pixels.drawing.Drawing` has them.
    filters : bool
        Whether each line starts with the number of its filter, 0 for none, as PNG has
        it.

    Returns
    -------
    ndarray of uint8, shape (n,)
    """
    words, size = _deflate(rows, cols, background, pixels, shades, int(filters))
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

_ADLER = 65521
"""Adler-32 is a pair of sums modulo this."""

_ZERO, _ONE, _LAST = np.int64(0), np.int64(1), np.bool_(True)
"""Literals in their place would compile functions once more, for types of their own."""


@njit(nogil=True, cache=True)
def _deflate(rows, cols, background, pixels, shades, first):
    """Return the words of a stream, and its size in bytes."""
    values, lengths, check = _list_runs(rows, cols, background, pixels, shades, first)
    size = rows * (first + shades.shape[1] * cols)
    # A token takes at most 15 bits for each of its bytes; the rest is for headers.
    words = np.empty(size // 2 + 1024, dtype=np.uint32)
    tokens = np.empty(BLOCK_TOKENS + MAX_STRETCH // MAX_RUN + MIN_RUN, dtype=np.int16)
    # deflate, with a window of 32 KiB
    written = _ZERO, np.uint64(0x0178), np.int64(16)
    count = _ZERO
    for i in range(len(values)):
        value, length = values[i], lengths[i]
        # Here and not in a function, a call of which for each run takes four times as
        # long as all the rest.
        if length <= MAX_RUN and count < BLOCK_TOKENS - MIN_RUN:
            # Without branches, which no processor could predict: three tokens are
            # written, and some of them count.
            is_long = length > MIN_RUN
            tokens[count] = value
            tokens[count + 1] = END + length - 1 if is_long else value
            tokens[count + 2] = value
            count += 2 if is_long else length
        else:
            count, written = _add_long(value, length, count, written, tokens, words)
    size, held, held_size = _write_block(count, tokens, words, written, _LAST)
    held_size = -(-held_size // 8) * 8
    for shift in (24, 16, 8, 0):
        held |= np.uint64(check >> shift & 255) << np.uint64(held_size)
        held_size += 8
    words[size] = np.uint32(held)
    words[size + 1] = np.uint32(held >> np.uint64(32))
    return words, 4 * size + held_size // 8


@njit(nogil=True, cache=True)
def _list_runs(rows, cols, background, pixels, shades, first):
    """Return the byte and the length of each run in the lines, and their Adler-32."""
    samples = shades.shape[1]
    width = first + samples * cols
    size = rows * width
    filters = first * rows if background else 0  # which are 0: runs of their own
    most = 2 * (len(pixels) * samples + filters) + 1
    values, lengths = np.empty(most, dtype=np.int16), np.empty(most, dtype=np.int64)
    # Those of lines of background. Then each other byte is added once to `low`, and to
    # `high` once for each byte from there on.
    low = 1 + size * background
    high = size + size * (size + 1) // 2 % _ADLER * background
    run = _ZERO, np.int64(background), _ZERO
    end, row = _ZERO, _ZERO
    for i in range(len(pixels) + 1):
        is_end = i == len(pixels)
        pixel = rows * cols - 1 if is_end else pixels[i]
        while row * cols <= pixel:
            if filters:
                place = row * width
                run = _add(background, place - end, run, values, lengths)
                run = _add(_ZERO, _ONE, run, values, lengths)
                low -= background
                high -= background * (size - place)
                end = place + 1
            row += 1
        place = size if is_end else pixel * samples + first * row
        run = _add(background, place - end, run, values, lengths)
        for sample in range(0 if is_end else samples):
            value = np.int64(shades[i, sample])
            run = _add(value, _ONE, run, values, lengths)
            low += value - background
            high += (value - background) * (size - place - sample)
        end = place + samples
        if i % BLOCK_TOKENS == 0:  # before it overflows
            high %= _ADLER
    check = high % _ADLER << 16 | low % _ADLER
    return values[: run[0] + 1], lengths[: run[0] + 1], check


@njit(nogil=True, cache=True)
def _add(value, length, run, values, lengths):
    """Add bytes to the last run or, without a branch, start another; return it."""
    count, last, total = run
    is_other = (value != last) & (length > 0)
    count += is_other
    last = value if is_other else last
    total = length if is_other else total + length
    values[count], lengths[count] = last, total
    return count, last, total


@njit(nogil=True, cache=True)
def _add_long(value, length, count, written, tokens, words):
    """Add a run that takes several tokens, or that may end a block.

    Return the number of tokens in the block, and the state of the stream: see `_pack`.
    """
    stretch = _ONE
    while length:
        if count >= BLOCK_TOKENS:
            written = _write_block(count, tokens, words, written, not _LAST)
            count = _ZERO
        if stretch < MIN_RUN:
            stretch = _ONE
            tokens[count] = value
            count += 1
        else:
            left = stretch
            while left >= MIN_RUN:
                tokens[count] = END + min(left, MAX_RUN)
                count += 1
                left -= min(left, MAX_RUN)
            for _ in range(left):
                tokens[count] = value
                count += 1
        length -= stretch
        stretch = min(length, MAX_STRETCH)
    return count, written


@njit(nogil=True, cache=True)
def _write_block(count, tokens, words, written, final):
    """Write the tokens as a block; return the state of the stream: see `_pack`."""
    tokens[count] = END
    # Equal tokens in a row would wait for each other at one counter.
    counts = np.zeros((2, len(_SYMBOLS)), dtype=np.int64)
    for i in range(count + 1):
        counts[i & 1, tokens[i]] += 1
    symbol_counts = np.zeros(_SYMBOL_COUNT, dtype=np.int64)
    for token in range(len(_SYMBOLS)):
        symbol_counts[_SYMBOLS[token]] += counts[0, token] + counts[1, token]
    lengths = _code_lengths(symbol_counts)
    codes = _codes(lengths)
    entries = np.empty(len(_SYMBOLS), dtype=np.uint32)
    for token in range(len(_SYMBOLS)):
        symbol = _SYMBOLS[token]
        bits = codes[symbol] | _EXTRAS[token] << lengths[symbol]
        entries[token] = bits << 5 | lengths[symbol] + _EXTRA_SIZES[token]
    written = _pack(*_header(lengths, final), words, written)
    return _pack(tokens[: count + 1], entries, words, written)


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
        # No branch, which no processor could predict: a word that is not full yet is
        # written again.
        words[size] = np.uint32(held)
        is_full = held_size >> 5
        held >>= np.uint64(is_full << 5)
        size, held_size = size + is_full, held_size & 31
    return size, held, held_size
