"""Say at the end of a run what came of it, in a few lines."""

from collections.abc import Collection
from itertools import groupby
from typing import NamedTuple

from birdview.checks.images import Seen
from birdview.checks.plausibility import Warned

MAX_SHOWN = 20
"""Failures and warnings at the terminal; the tables have all of them."""


class Outcome(NamedTuple):
    """What came of a run.

    Attributes
    ----------
    seen : Seen
    warned : list of Warned
    left_out : str
        What was not searched for scans, in one line; empty if there is nothing.
    orphans : list of str
        Images whose scans are gone, by their paths.
    others : list of str
        Folders with images of other encodings.
    images : str
        Where the images are.
    tables : str
        The folder of the tables.
    """

    seen: Seen
    warned: list[Warned]
    left_out: str
    orphans: list[str]
    others: list[str]
    images: str
    tables: str


def describe_outcome(outcome: Outcome, shown: Collection[str] = ()) -> list[str]:
    """Return the summary of a run, in lines.

    Parameters
    ----------
    outcome : Outcome
    shown : collection of str
        Errors that were printed already.
    """
    return [
        _describe_counts(outcome),
        *_describe_failures(outcome, shown),
        *_describe_warnings(outcome),
        *_describe_others(outcome),
        f"images: {outcome.images}",
        f"next: {_advise(outcome)}",
    ]


def _describe_counts(outcome: Outcome) -> str:
    seen = outcome.seen
    counts = []
    if seen.is_known:
        counts = [f"{count_of(seen.made, 'image')} made", f"{seen.current} up to date"]
    counts.append(f"{len(seen.failures)} failed")
    if seen.waiting:
        counts.append(f"{seen.waiting} not rendered")
    doubtful = len({one.scan for one in outcome.warned})
    if doubtful:
        counts.append(f"warnings about {count_of(doubtful, 'scan')}")
    return ", ".join(counts)


def _describe_failures(outcome: Outcome, shown: Collection[str]) -> list[str]:
    """Return a line for each error, up to `MAX_SHOWN`, and where all of them are."""
    if not outcome.seen.failures:
        return []
    errors = dict.fromkeys(failure.error for failure in outcome.seen.failures)
    left = max(0, MAX_SHOWN - len(shown))
    new = [error for error in errors if error not in shown]
    table = f"{outcome.tables}/failed.tsv"
    hidden = max(0, len(new) - left)
    more = f"{hidden} more in {table}" if hidden else f"all of them are in {table}"
    return [*(f"failed: {error}" for error in new[:left]), f"failed: {more}"]


def _describe_warnings(outcome: Outcome) -> list[str]:
    """Return a line for each kind of doubt: how many scans, the first, what to do."""
    lines = []
    for (kind, encoding, advice), group in groupby(
        outcome.warned, lambda one: (one.kind, one.encoding, one.advice)
    ):
        first, *others = group
        where = "" if encoding == "-" else f" in {encoding}"
        lines.append(
            f"warning: {kind}: {count_of(1 + len(others), 'scan')}{where}, such as "
            f"{first.scan}: {first.found}; {advice}"
        )
    if lines:
        lines.append(f"warning: all of them are in {outcome.tables}/warnings.tsv")
    return lines


def _describe_others(outcome: Outcome) -> list[str]:
    lines = []
    if outcome.left_out:
        lines.append(outcome.left_out)
    if outcome.orphans:
        lines.append(
            f"without a scan: {count_of(len(outcome.orphans), 'image')}, such as "
            f"{outcome.orphans[0]}; remove those that you no longer want"
        )
    if outcome.others:
        lines.append(
            f"of other settings: images in {', '.join(outcome.others)}, which "
            f"`encodings` does not list; they stay as they are"
        )
    return lines


def _advise(outcome: Outcome) -> str:
    if outcome.seen.failures:
        return "fix or remove the scans that failed, and run the same command again"
    if outcome.seen.waiting:
        return "run the same command again to render the others"
    if outcome.warned:
        return "`snakemake inspect` shows what the files are, and settings that fit"
    return "`snakemake gallery` shows the images"


def count_of(number: int, noun: str) -> str:
    """Return a number with a noun: 1 image, 2 images."""
    return f"{number} {noun}{'s' * (number != 1)}"
