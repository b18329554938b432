"""Progress counts scans, and tells from time to time."""

from birdview.progress import Progress


def begin(expected, interval=10):
    """Return a progress, a clock that is a list, and the lines that it shows."""
    clock, lines = [0.0], []
    progress = Progress(lambda: clock[0])
    progress.begin(expected, lines.append, interval)
    return progress, clock, lines


def test_line_has_counts_rate_and_time_left():
    """In units that people read."""
    progress, clock, _ = begin({"a": 4000, "b": 3481})
    assert progress.describe() == "0 of 7,481 scans"
    clock[0] = 4.0
    for number in range(1200):
        progress.tell("a", failed=number < 2)
    line = "1,200 of 7,481 scans, 2 failed, 300 per second, 21 s left"
    assert progress.describe() == line
    clock[0] = 2400.0
    line = "1,200 of 7,481 scans, 2 failed, 0.50 per second, 3.5 h left"
    assert progress.describe() == line
    clock[0] = 600.0
    assert progress.describe().endswith(", 2 per second, 52 min left")


def test_lines_are_shown_from_time_to_time():
    """And not for each scan."""
    progress, clock, lines = begin({"a": 100})
    for second in range(1, 35):
        clock[0] = second
        progress.tell("a", failed=False)
    assert [line.split(" ")[0] for line in lines] == ["10", "20", "30"]


def test_batches_of_other_machines_are_counted_when_they_end():
    """Once; those that were not expected are not."""
    progress, _, _ = begin({"a": 500, "b": 20})
    for batch in ("a", "a", "c"):
        progress.end(batch)
    assert (progress.done, progress.total) == (500, 520)
