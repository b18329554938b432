"""Draw what became of the points of all scans, and name the outliers."""

import pytest

from birdview.counts import Counts
from birdview.reproduce.manifest import Row
from birdview.view import point_counts
from birdview.view.point_counts import find_outliers, write_point_counts


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Return a function that draws the points of scans that are drawn."""

    def draw(drawn, names=None, encodings=("lyft",)):
        names = names or [f"{number:06}" for number in range(len(drawn))]
        rows = [
            Row(encoding, name, "", "", "", "", Counts(20_000, 0, drawn=points))
            for encoding in encodings
            for name, points in zip(names, drawn, strict=True)
        ]
        monkeypatch.setattr(point_counts, "read_manifest", lambda path: ({}, rows))
        table, chart = tmp_path / "counts.tsv", tmp_path / "counts.svg"
        write_point_counts(tmp_path / "manifest.tsv", table, chart)
        return chart.read_text()

    return draw


def test_outliers_are_far_from_most_values():
    """More than six times as far as is usual; of equal values, 6 % of them and 6."""
    values = [100, 102, 98, 101, 99, 103, 97, 100, 117, 10]
    assert [*find_outliers(values)] == [9]
    assert find_outliers([*values[:8], 130])[8] > 1
    assert find_outliers(9 * [1000] + [1060]) == {}
    assert [*find_outliers(9 * [1000] + [1061])] == [9]
    assert find_outliers([0, 0, 0, 6]) == {}
    assert find_outliers([0, 0, 0, 7]) == {3: pytest.approx(7 / 6)}
    assert find_outliers([5]) == {}


def test_outliers_have_their_names(draw):
    """The farthest three, once each, whatever the number of encodings."""
    drawn = 60 * [10_000]
    drawn[5], drawn[50], drawn[51], drawn[52] = 2000, 1000, 500, 0
    chart = draw(drawn, encodings=("lyft", "mv3d"))
    names = [f"{number:06}" for number in range(60)]
    found = [name for name in names if f"<!-- {name} -->" in chart]
    assert found == ["000050", "000051", "000052"]
    assert all(chart.count(f"<!-- {name} -->") == 1 for name in found)


def test_long_names_keep_their_end(draw):
    """It tells scans apart."""
    names = [f"2011_09_26/2011_09_26_drive_0001_sync/data/{k:010}" for k in range(9)]
    chart = draw(8 * [9000] + [10], names)
    assert f"<!-- …{names[8][-39:]} -->" in chart


def test_the_chart_has_a_title(draw):
    """With the number of scans."""
    assert "<!-- What became of the points of 9 scans -->" in draw(9 * [100])
    assert "<!-- What became of the points of one scan -->" in draw([100])
