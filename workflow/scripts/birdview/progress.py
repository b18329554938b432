"""Tell how far a run is that renders batches of scans."""

import threading
import time
from collections.abc import Callable, Mapping

LINE_SECONDS, BAR_SECONDS = 10.0, 0.2
"""How often a line is printed, or a bar moves."""


class Progress:
    """Counts the scans of a run as they are done; jobs may tell from any thread.

    Parameters
    ----------
    clock : function
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._expected: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._failed = 0
        self._start = self._shown = clock()
        self._interval = LINE_SECONDS
        self._show: Callable[[str], None] = print

    @property
    def total(self) -> int:
        """The scans that are to be looked at."""
        return sum(self._expected.values())

    @property
    def done(self) -> int:
        """Those that were, also if they failed."""
        return sum(self._done.values())

    def begin(
        self,
        expected: Mapping[str, int],
        show: Callable[[str], None],
        interval: float = LINE_SECONDS,
    ) -> None:
        """Begin to count.

        Parameters
        ----------
        expected : mapping of str to int
            The scans in each batch.
        show : function
            Is given the line of `describe` from time to time.
        interval : float
            The seconds between.
        """
        self._expected, self._show, self._interval = dict(expected), show, interval
        self._start = self._shown = self._clock()

    def tell(self, batch: str, failed: bool) -> None:
        """Count a scan of a batch."""
        with self._lock:
            self._done[batch] = self._done.get(batch, 0) + 1
            self._failed += failed
            self._maybe_show()

    def end(self, batch: str) -> None:
        """Count all scans of a batch, which a job on another machine has rendered."""
        with self._lock:
            if batch in self._expected:
                self._done[batch] = self._expected[batch]
                self._maybe_show()

    def describe(self) -> str:
        """Return how far it is, such as ``20 of 99 scans, 5 per second, 16 s left``."""
        words = [f"{self.done:,} of {self.total:,} scans"]
        if self._failed:
            words.append(f"{self._failed:,} failed")
        seconds = self._clock() - self._start
        if self.done and seconds > 0:
            rate = self.done / seconds
            words.append(
                f"{rate:,.0f} per second" if rate >= 2 else f"{rate:.2f} per second"
            )
            words.append(f"{_as_time((self.total - self.done) / rate)} left")
        return ", ".join(words)

    def _maybe_show(self) -> None:
        now = self._clock()
        if now - self._shown >= self._interval:
            self._shown = now
            self._show(self.describe())


def _as_time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
