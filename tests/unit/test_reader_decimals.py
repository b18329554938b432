"""Numbers in text: those that Python's float returns, and nothing else."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from birdview.pixels.readers.decimals import BLANKS, parse_table

FORMATS = "{!r}", "{:.9g}", "{:.17g}", "{:.18g}", "{:.18e}", "{:.16f}", "{:+.3E}"


def parse(text, delimiter=BLANKS, width=1, used=(0,), most=1000):
    return parse_table(
        np.frombuffer(text.encode(), np.uint8), delimiter, width, used, most
    )


@settings(deadline=None)
@given(st.lists(st.floats(width=32) | st.floats(-1000, 1000) | st.floats(), max_size=8))
@pytest.mark.parametrize("form", FORMATS)
def test_numbers_are_those_of_python(form, numbers):
    """To the last bit, whatever the number of digits."""
    words = [form.format(number) for number in numbers]
    values, stop = parse("\n".join(words))
    expected = np.array([float(word) for word in words])
    np.testing.assert_array_equal(values[:, 0], expected)
    assert stop == len("\n".join(words))


@settings(deadline=None)
@given(st.integers(0, 10**22), st.integers(-30, 30))
@example(2**53 + 1, 0)  # between two float64
@example(9007199254740993, -16)
@example(10**18 - 1, -22)
def test_digits_are_rounded_once(digits, power):
    """Also in the middle between two numbers that a float64 has."""
    for word in (f"{digits}e{power}", f"0.{digits}", f"{digits}.5", f"-{digits}0000"):
        values, _ = parse(word)
        assert values[0, 0] == float(word)


@settings(deadline=None)
@given(st.text("0123456789+-.eEnaif_xI \t\n\r,;#", max_size=20))
@example("1_0")
@example("1e")
@example("nan1")
@example("--1")
@example("1 2")
def test_only_numbers_are_parsed(text):
    """What is not one number in each line is refused."""
    lines = [line.strip(" \t\r") for line in text.split("\n")]
    lines = [line for line in lines if line]
    try:
        expected = [float(line) for line in lines if "_" not in line or 1 / 0]
    except (ValueError, ZeroDivisionError):
        expected = None
    found = parse(text)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found[0][:, 0], expected)


@pytest.mark.parametrize(
    "text", ["1,2,3", "1, 2 ,3,", "\n1,2,3\r\n\n", "  1\t,2,3 , \n", "1,x,3"]
)
def test_columns_are_chosen(text):
    """Those that are not used may hold any text."""
    values, _ = parse(text, ord(","), 3, (0, 2))
    assert values.tolist() == [[1, 3]]


@pytest.mark.parametrize(
    "text",
    ["1,2", "1,2,3,4", "1,,3", ",1,2,3", "1,2,3,,", "1 2,3", "1,2,3\n4", "1;2;3"],
)
def test_lines_are_regular(text):
    """As many fields in each, and none empty."""
    assert parse(text, ord(","), 3, (0, 2)) is None


def test_tabs_may_be_delimiters():
    """Two are an empty field then, and not one blank."""
    assert parse("1\t2\n", ord("\t"), 2, (0, 1))[0].tolist() == [[1, 2]]
    assert parse("1\t\t2\n", ord("\t"), 2, (0, 1)) is None


def test_lines_are_counted():
    """No more are read than are wanted; blank ones do not count."""
    text = "1 2\n\n \n3 4\nend"
    values, stop = parse(text, width=2, used=(0, 1), most=2)
    assert values.tolist() == [[1, 2], [3, 4]]
    assert text[stop:] == "end"
    assert parse("", most=0)[0].shape == (0, 1)


def test_many_numbers_may_be_unusual():
    """Python parses those."""
    values, _ = parse("infinity\n1e-300\n" * 1000, most=2000)
    assert values[:, 0].tolist() == [math.inf, 1e-300] * 1000
