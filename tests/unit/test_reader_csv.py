"""Tables in text: the points of records, whatever their header and delimiter."""

import re
import tracemalloc

import numpy as np
import pytest
from helpers import check_message, write_layout
from hypothesis import example, given
from hypothesis import strategies as st

from birdview.pixels.layout import load_layout
from birdview.pixels.readers.csv import list_columns, read
from birdview.pixels.scan import read_scan

NAMES = "x", "y", "z", "intensity"


def columns(text, *wanted):
    """Return columns of a table as lists."""
    content = text.encode() if isinstance(text, str) else text
    data = np.frombuffer(content, dtype=np.uint8)
    return [column.tolist() for column in read(data, wanted, "a.csv")]


@pytest.fixture
def points(make_scan, tmp_path):
    """Return the points of random records."""
    return read_scan(make_scan(tmp_path / "records.bin", 500))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("has_bom", [False, True])
@pytest.mark.parametrize(
    ("header", "line", "fields"),
    [
        ("", "{:.9g},{:.9g},{:.9g},{:.9g}", "0123"),
        ("", "{:.9g},{:.9g},{:.9g},{:.9g},", "0123"),
        ("", "7,{:.9g},{:.9g},{:.9g},8,{:.9g}", "1235"),
        ("", "{:.9g} {:.9g} {:.9g} {:.9g}", "0123"),
        ("", "   {:.9g}\t{:.9g}  {:.9g} {:.9g} 5 ", "0123"),
        ("", "{:.17e};{:.17e}; {:.17e};{:.17e}", "0123"),
        ("x,y,z,intensity", "{:.9g},{:.9g},{:.9g},{:.9g}", NAMES),
        ("x,y,z,i,", "{:.9g},{:.9g},{:.9g},{:.9g},", ("x", "y", "z", "i")),
        ("x;y;z;intensity", "{:.9g};{:.9g};{:.9g};{:.9g}", NAMES),
        ("x\ty\tz\tintensity", "{:.9g}\t{:.9g}\t{:.9g}\t{:.9g}", NAMES),
        ('"x", "y, m", "z", "i"', "{:.9g},{:.9g},{:.9g},{:.9g}", ("x", "y, m", "z", 3)),
        ("//X Y Z Intensity", "{:.9g} {:.9g} {:.9g} {:.9g}", ("X", "Y", "Z", 3)),
        (
            "# frame 1 of 2, all\n# X1 (m), Y1 (m), Z1 (m), REFLECTIVITY",
            "{:.9g}, {:.9g}, {:.9g}, {:.9g}",
            ("X1 (m)", "Y1 (m)", "Z1 (m)", "REFLECTIVITY"),
        ),
        ("# made by a program", "{:.9g},{:.9g},{:.9g},{:.9g}", "0123"),
        ("x,y,z,intensity\n# in m", "{:.9g},{:.9g},{:.9g},{:.9g}", NAMES),
        (",0,1,2,3", "9,{:.9g},{:.9g},{:.9g},{:.9g}", "0123"),
    ],
)
def test_points_of_a_table(points, tmp_path, header, line, fields, has_bom, end):
    """Digits restore the float32."""
    lines = [line.format(*point) for point in points.tolist()]
    text = end.join([*header.split("\n"), *lines]) + end
    bom = "\ufeff" * has_bom
    (tmp_path / "a.csv").write_text(bom + text, encoding="utf-8", newline="")
    pairs = [f"{name} {column}" for name, column in zip(NAMES, fields, strict=True)]
    layout = load_layout(write_layout(tmp_path / "own.yaml", *pairs, format="csv"))
    found = read_scan(tmp_path / "a.csv", layout)
    np.testing.assert_array_equal(found, points)


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("1,2\n\n# pause\n3,4\n  \n\n", "01", [[1, 3], [2, 4]]),
        ("1,2\n// pause\n3,4", "1", [[2, 4]]),
        ("1,2,\n3,4\n5,6, \n", "10", [[2, 4, 6], [1, 3, 5]]),
        ("1,2\n3,4,\n", "0", [[1, 3]]),
        ("-inf nan\n+1e-3 .5\n", "01", [[-np.inf, 0.001], [np.nan, 0.5]]),
        ("1,x\n2,3\n", ["x", "1", "0"], [[3], [2], [2]]),
        ("1 2\n3 text\n", "0", [[1, 3]]),
        ("1,2\n3,text\n", "0", [[1, 3]]),
        ("x,y\n", "xy", [[], []]),
        ("# x y\n", "yx", [[], []]),
        ("7", "0", [[7]]),
        ("1,2\r3,4\r", "1", [[2, 4]]),
        ("Höhe;y\n1;2", ["Höhe"], [[1]]),
        (",,x\n1,2,3\n", "x", [[3]]),
    ],
)
def test_other_tables(text, wanted, expected):
    """Blank lines, comments, names that are numbers, and unused columns."""
    np.testing.assert_array_equal(columns(text, *wanted), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no numbers found, expected lines of them, as text"),
        ("#\n\n", "no numbers found, expected lines of them, as text"),
        ("1,2,3\n4,5\n", "line 2: 2 numbers found, expected 3 as in line 1"),
        ("1,2,3\n4,5\n6,7,8,9\n", "line 2: 2 numbers found, expected 3 as in line 1"),
        ("x y\n\n1 2\n1 2 3\n", "line 4: 3 numbers found, expected 2 as in line 3"),
        ("1,2,\n4,5,6\n", "line 2: 3 numbers found, expected 2 as in line 1"),
        ("1,2,3\n4,,6\n", "line 2: an empty field found, expected a number"),
        ("1,2,3\n,5,6\n", "line 2: an empty field found, expected a number"),
        ("1,,3\n", "line 1: an empty field found, expected a number"),
        ("1;2\n3;x\n", "line 2: 'x' found, expected a number"),
        ("1;2\n3;4_0\n", "line 2: '4_0' found, expected a number"),
        ("1;2\n3;0x4\n", "line 2: '0x4' found, expected a number"),
        ("1,5;2,5\n", "line 1: '1,5' found, expected a number, with a decimal point"),
        ("x;y\n1;2,5\n", "line 2: '2,5' found, expected a number, with a decimal"),
        ("1;2\n1;2,5\n", "line 2: '2,5' found, expected a number, with a decimal"),
        ("1.5,x\n1,2\n", "line 1: 'x' found, expected a number"),
        ("a title\nx,y\n1,2\n", "line 2: 'x' found, expected a number"),
        ("x,y,z\n1,2\n", "line 1: 3 names found, expected 2, as many as numbers"),
        ("x,y,x\n1,2,3\n", "2 columns x found, expected one; choose by the number"),
        ("1,2\n3,ä\n", "line 2: 'ä' found, expected a number"),
        ("x,y,z", "no field 3, expected one of those in the file: x, y, z, 0, 1, 2"),
        ("1,2,3", "no field x, expected one of those in the file: 0, 1, 2"),
        (b"1,2\n\xff,4\n", r"line 2: b'\xff,4' found, expected text in UTF-8"),
        (
            b"1,2\n3,\0\n",
            "line 2: the byte 0x00 in b'1,2\\n3,\\x00\\n' found, expected",
        ),
        (b"ply\nformat binary\n\x01", "line 3: the byte 0x01 in a PLY file found, exp"),
    ],
)
def test_bad_tables_are_one_line(text, message):
    """With the number of the line."""
    wanted = "xx" if "no field x" in message or "columns x" in message else "0113"
    wanted = wanted if "no field 3" in message else wanted.removesuffix("3")
    with pytest.raises(ValueError, match=re.escape(f"a.csv: {message}")) as error:
        columns(text, *wanted)
    assert str(error.value).startswith("a.csv: ")
    assert "\n" not in str(error.value)


BASES = (
    b"x,y,z,i\n1.5,2,3,4\n-5,6e3,7,8\n",
    b"# X Y\n1 2\n3 4\n",
    b'"a";"b c";\r\n1;2;\r\nnan;4;\r\n',
    b"\xef\xbb\xbf1\t2\n3\t4",
)


@given(data=st.data())
def test_changed_tables_are_points_or_one_line(data):
    """Cut anywhere, with other bytes anywhere: and never more than the numbers."""
    content = bytearray(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(len(content), start + 3)))
        content[start:stop] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\n", b",", b"#", b"//", b'"'])
        )
    check(bytes(content))


@given(st.text(alphabet='0123456789.,;+-e \t\r\n"#/xnaif\x0b\x85\xa0٣'))
@example("1e999 1\n2 3")
@example('"' * 999)
def test_any_text_is_points_or_one_line(text):
    """Of the letters of numbers, and others that Unicode takes for them."""
    check(text.encode())


def check(content):
    data = np.frombuffer(content, dtype=np.uint8)
    try:
        first, last = read(data, ["0", "1"], "a.csv")
    except ValueError as error:
        message = str(error)
    else:
        message = "a.csv: "
        assert len(first) == len(last) <= len(content) / 3
        assert first.dtype == last.dtype == np.float64
    assert message.startswith("a.csv: ")
    assert "\n" not in message
    try:
        names = list_columns(data, "a.csv")
        assert len(read(data, names, "a.csv")) == len(names)
    except ValueError as error:
        check_message(error, "a.csv")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"x,y,z\n1,2,3\n", ["x", "y", "z"]),
        (b"1 2 3\n4 5 6\n", ["0", "1", "2"]),
        (b"x,x,z\n1,2,3\n", ["0", "1", "z"]),
        (b"x;y\n", ["x", "y"]),
    ],
)
def test_names_of_columns(text, names):
    """Numbers where names do not tell columns apart."""
    data = np.frombuffer(text, dtype=np.uint8)
    assert list_columns(data, "a.csv") == names
    assert len(read(data, names, "a.csv")) == len(names)


def test_memory_is_bounded():
    """A table needs a few times the memory of its text and its numbers."""
    text = b"1.5,2.25,3.125,4\n" * 200_000
    data = np.frombuffer(text, dtype=np.uint8)
    tracemalloc.start()
    for wanted in ("0123", "03"):
        columns = read(data, wanted, "a.csv")
        assert all(len(column) == 200_000 for column in columns)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * len(text)
