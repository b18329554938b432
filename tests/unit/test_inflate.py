"""Decompress the streams of zlib and of birdview, and reject anything else."""

import zlib

import numpy as np
import pytest
from dense import deflate
from hypothesis import example, given, settings
from hypothesis import strategies as st

from birdview.inflate import inflate

STRATEGIES = {
    "default": zlib.Z_DEFAULT_STRATEGY,
    "fixed": zlib.Z_FIXED,
    "huffman": zlib.Z_HUFFMAN_ONLY,
    "runs": zlib.Z_RLE,
}


def as_array(data):
    """Return bytes as an array that cannot be written to, as images are read."""
    return np.frombuffer(bytes(data), dtype=np.uint8)


def make_data(seed, size, values, repeats):
    rng = np.random.default_rng(seed)
    return rng.integers(0, values, size=size, dtype=np.uint8).tobytes() * repeats


any_data = st.builds(
    make_data,
    seed=st.integers(0, 99),
    size=st.integers(0, 40_000),
    values=st.sampled_from([1, 2, 7, 40, 256]),
    repeats=st.sampled_from([1, 2, 9]),
)


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=60, deadline=None)
@given(data=any_data, level=st.integers(0, 9))
def test_comes_back_from_zlib(strategy, data, level):
    """Stored blocks, fixed and dynamic codes, near and far repetitions."""
    made = zlib.compressobj(level, zlib.DEFLATED, 15, 9, STRATEGIES[strategy])
    stream = made.compress(data) + made.flush()
    assert inflate(as_array(stream), len(data)).tobytes() == data


@settings(max_examples=60, deadline=None)
@given(data=any_data.filter(len))
def test_comes_back_from_our_deflate(data):
    """They are each other's inverse."""
    stream = as_array(deflate(as_array(data).copy()))
    assert inflate(stream, len(data)).tobytes() == data


@settings(max_examples=300, deadline=None)
@given(
    data=any_data.filter(len),
    level=st.integers(0, 9),
    offset=st.integers(0, 10**6),
    flip=st.integers(1, 255),
)
def test_damage_is_noticed(data, level, offset, flip):
    """A changed byte anywhere gives an error, or zlib's result."""
    stream = bytearray(zlib.compress(data, level))
    stream[offset % len(stream)] ^= flip
    try:
        inflated = inflate(as_array(stream), len(data))
    except ValueError:
        return
    # Some bits have no meaning; and other data may have the same checksum.
    assert inflated.tobytes() == zlib.decompress(stream)


@settings(max_examples=500, deadline=None)
@given(
    data=any_data,
    strategy=st.sampled_from(list(STRATEGIES.values())),
    flips=st.lists(st.integers(0, 95), min_size=1, max_size=3),
)
@example(bytes(21), zlib.Z_FIXED, [2])  # a block type that does not exist
def test_rejects_what_zlib_rejects(data, strategy, flips):
    """Changed bits in the header, where the codes are, with the right checksum."""
    made = zlib.compressobj(6, zlib.DEFLATED, -15, 9, strategy)
    blocks = bytearray(made.compress(data) + made.flush())
    for bit in flips:
        blocks[bit // 8 % len(blocks)] ^= 1 << bit % 8
    reader = zlib.decompressobj(-15)
    try:
        right = reader.decompress(blocks)
    except zlib.error:
        right = None
    size = len(data) if right is None else len(right)
    checksum = zlib.adler32(data if right is None else right).to_bytes(4, "big")
    blocks = blocks[: len(blocks) - len(reader.unused_data)]
    stream = as_array(b"\x78\x01" + blocks + checksum)
    if right is not None and reader.eof:
        assert inflate(stream, size).tobytes() == right
    else:
        with pytest.raises(ValueError, match="zlib stream"):
            inflate(stream, size)


@settings(max_examples=300, deadline=None)
@given(noise=st.binary(max_size=200), size=st.integers(0, 1000))
def test_noise_is_rejected(noise, size):
    """After the header of a zlib stream, or without it."""
    for stream in (noise, b"\x78\x01" + noise):
        with pytest.raises(ValueError, match="zlib stream"):
            inflate(as_array(stream), size)


def test_cut_streams_and_wrong_sizes_are_rejected():
    """One byte less, one byte more, and data of another size."""
    stream = zlib.compress(b"a street" * 100)
    for wrong in (stream[:-1], stream + b"\0", stream[:5], stream[:1], b""):
        with pytest.raises(ValueError, match="zlib stream"):
            inflate(as_array(wrong), 800)
    for size in (799, 801, 0):
        with pytest.raises(ValueError, match="of another size"):
            inflate(as_array(stream), size)
