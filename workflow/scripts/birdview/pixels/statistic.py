"""The statistics of a cell that a channel can show.

To add one, write its entry here and its lines in `birdview.pixels.kernels`.
"""

from typing import NamedTuple

from birdview.pixels.schema import suggest


class Statistic(NamedTuple):
    """A number that is computed for each cell, or for each slice of a cell.

    Attributes
    ----------
    name : str
    meaning : str
        For README's table.
    unit : str
        ``points``, ``m``, or ``1`` for a number without unit; empty for the field's.
    scales : tuple of str
        The keys that may scale it to 0..255: ``range`` (two numbers, or the range of
        the scan), ``slice`` (the edges of its slice), ``log``. Empty if it needs none.
    second_pass : bool
        Whether it takes a second pass over the points, which only runs if it is used.
    former_name : str
        A name that still works in encodings, until 1.0.
    field : str
        Whether it is one of a field of the points, which `of` names: ``required``,
        ``optional``, or empty if it never is.
    takes_values : bool
        Whether, as one of a field, it takes a list of values.
    """

    name: str
    meaning: str
    unit: str
    scales: tuple[str, ...]
    second_pass: bool = False
    former_name: str = ""
    field: str = ""
    takes_values: bool = False


STATISTICS = {
    entry.name: entry
    for entry in (
        Statistic(
            "count",
            "number of points; of a field, of those with one of the `values`",
            "points",
            ("range", "log"),
            field="optional",
            takes_values=True,
        ),
        Statistic(
            "occupancy", "255 where there is a point, without a scale", "points", ()
        ),
        Statistic(
            "record_highs",
            "how often a point was higher than all before it in the file",
            "points",
            ("range", "log"),
            former_name="records",
        ),
        Statistic(
            "max_height",
            "height of the highest point",
            "m",
            ("range", "slice"),
            former_name="top_height",
        ),
        Statistic(
            "intensity_at_max",
            "intensity of the highest point, of several the first in the file",
            "1",
            ("range",),
            former_name="top_intensity",
        ),
        Statistic(
            "min_height",
            "height of the lowest point",
            "m",
            ("range", "slice"),
            second_pass=True,
            former_name="lowest_height",
        ),
        Statistic(
            "mean_height",
            "mean height of the points",
            "m",
            ("range", "slice"),
            second_pass=True,
        ),
        Statistic(
            "height_range",
            "height of the highest point above the lowest",
            "m",
            ("range",),
            second_pass=True,
        ),
        Statistic(
            "max_intensity",
            "greatest intensity of the points",
            "1",
            ("range",),
            second_pass=True,
            former_name="greatest_intensity",
        ),
        Statistic(
            "mean_intensity",
            "mean intensity of the points",
            "1",
            ("range",),
            second_pass=True,
        ),
        Statistic("max", "greatest value", "", ("range",), field="required"),
        Statistic("min", "least value", "", ("range",), field="required"),
        Statistic("mean", "mean value", "", ("range",), field="required"),
        Statistic(
            "majority",
            "value of the most points, of several the least",
            "",
            ("range",),
            field="required",
        ),
        Statistic(
            "at_max",
            "value of the highest point, of several the first in the file",
            "",
            ("range",),
            field="required",
        ),
        Statistic(
            "priority",
            "first of the `values` that a point has; if none does, the majority",
            "",
            ("range",),
            field="required",
            takes_values=True,
        ),
    )
}
"""All statistics by name."""

_CURRENT_NAMES = {
    entry.former_name: entry.name for entry in STATISTICS.values() if entry.former_name
}


def find_statistic(name: str) -> Statistic:
    """Return a statistic by its name, or by its former one.

    Raises
    ------
    ValueError
        If there is no such statistic.
    """
    name = _CURRENT_NAMES.get(name, name)
    if name not in STATISTICS:
        raise ValueError(
            f"statistic {name}{suggest(name, STATISTICS)}, expected one of "
            f"{', '.join(STATISTICS)}"
        )
    return STATISTICS[name]
