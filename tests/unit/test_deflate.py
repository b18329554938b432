"""Compress bytes so that zlib gives them back."""

import zlib

import numpy as np
import pytest
from dense import deflate as deflate_densely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from birdview.pixels.deflate import BLOCK_TOKENS, MAX_RUN, MAX_STRETCH
from birdview.pixels.deflate import deflate as deflate_drawing
from birdview.pixels.drawing import trace


def random(size, high=256):
    return np.random.default_rng(0).integers(high, size=size, dtype=np.uint8)


def deflate(data):
    """Compress bytes as an image of one line, and compare with the dense encoder."""
    drawing = trace(data.reshape(1, -1, 1))
    stream = deflate_drawing(
        *drawing.lines, drawing.background, drawing.pixels, drawing.shades
    )
    assert stream.tobytes() == deflate_densely(np.append(np.uint8(0), data)).tobytes()
    return stream


def inflate(stream):
    """Inflate a stream with zlib; it must end where its bytes end."""
    decompress = zlib.decompressobj()
    data = decompress.decompress(stream)
    assert decompress.eof
    assert not decompress.unused_data
    assert data[0] == 0  # the filter of the line
    return data[1:]


@settings(max_examples=200, deadline=None)
@given(
    data=hnp.arrays(np.uint8, st.integers(1, 300), elements=st.integers(0, 3))
    | hnp.arrays(np.uint8, st.integers(1, 300))
)
def test_any_bytes_come_back(data):
    """Data with many runs, and with few."""
    assert inflate(deflate(data)) == data.tobytes()


@settings(max_examples=50, deadline=None)
@given(
    runs=st.lists(
        st.tuples(st.sampled_from([0, 1, 255]), st.integers(1, 2 * MAX_STRETCH)),
        min_size=1,
        max_size=20,
    )
)
def test_runs_of_any_length_come_back(runs):
    """Aligned to words or not, and longer than what becomes tokens at once."""
    values, lengths = zip(*runs, strict=True)
    data = np.repeat(np.array(values, dtype=np.uint8), lengths)
    assert inflate(deflate(data)) == data.tobytes()


@pytest.mark.parametrize("length", [1, 2, 3, 4, MAX_RUN, MAX_RUN + 1, MAX_RUN + 2, 520])
@pytest.mark.parametrize("ahead", range(9))
def test_runs_end_where_they_end(length, ahead):
    """One byte more or less than a token holds, from each offset in a word."""
    data = np.zeros(ahead + length + 5, dtype=np.uint8)
    data[:ahead] = data[ahead + length :] = np.arange(9)[:5].sum()
    assert inflate(deflate(data)) == data.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        random(3 * BLOCK_TOKENS),
        random(3 * BLOCK_TOKENS, high=2),
        np.zeros(50_000_000, dtype=np.uint8),
        np.full(1_000_000, 255, dtype=np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), 3000),
    ],
    ids=["noise", "two values", "zeros", "ones", "no run at all"],
)
def test_several_blocks_come_back(data):
    """Noise grows by less than 1 %; the sums of the checksum do not overflow."""
    stream = deflate(data)
    assert inflate(stream) == data.tobytes()
    assert len(stream) < 1.01 * len(data) + 200


def test_codes_are_no_longer_than_the_format_allows():
    """With these counts, Huffman's longest code would have 20 bits."""
    counts = [1, 1]
    while len(counts) < 20:
        counts.append(counts[-2] + counts[-1] + 1)
    in_order = np.repeat(np.arange(20, dtype=np.uint8), counts)[::-1]
    data = np.empty_like(in_order)  # without a run
    data[::2], data[1::2] = np.split(in_order, [(len(data) + 1) // 2])
    assert len(data) < BLOCK_TOKENS
    assert inflate(deflate(data)) == data.tobytes()


def test_stream_is_the_same_on_every_machine():
    """A known answer."""
    data = np.zeros(10_000, dtype=np.uint8)
    data[::97] = np.arange(len(data[::97])) ** 2 % 50
    assert data[0] == 0  # as the filter is
    assert zlib.adler32(deflate(data[1:])) == 4185743229


def test_sparse_image_is_about_as_small_as_with_zlib():
    """Compared with zlib's fastest level."""
    data = np.zeros(1_000_000, dtype=np.uint8)
    data[random(3000, high=200).cumsum()] = random(3000)
    assert len(deflate(data)) < 1.05 * len(zlib.compress(data, 1))
