"""Call functions in other processes, each of which has a lock of Python's to itself.

Threads share one. Rendering a scan needs it for a millisecond of five, so that threads
wait for each other on two cores, and more than five could not work at a time.
"""

import faulthandler
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from birdview import paths

_ERRORS = (MemoryError, OSError, ValueError)
"""What a function may raise; anything else is a defect, and ends its process."""

TELL_SECONDS = 0.1
"""How often a process says what its function tells."""


def ignore(*told: object) -> None:
    """Do nothing with what a function tells."""


class _Worker(NamedTuple):
    process: subprocess.Popen[bytes]
    connection: Connection


class Workers:
    """Processes of this Python that wait for calls.

    They end with the process that made them, however it ends.

    Parameters
    ----------
    count : int
        How many to start now, before they are needed.
    module : str
        What each of them imports meanwhile.
    """

    def __init__(self, count: int, module: str) -> None:
        self._lock, self._module = threading.Lock(), module
        self._busy: list[_Worker] = []
        self._idle = [_start(module) for _ in range(count)]

    def call(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        tell: Callable[..., None] = ignore,
    ) -> Any:
        """Call a function in a process that is idle, or in another one.

        Parameters
        ----------
        function : function
            Of a module. Its last two arguments are `tell` and a function that returns
            whether `stop` was called.
        arguments
            What can be pickled.
        tell : function
            Is called here with what the function gives to its own.

        Raises
        ------
        MemoryError, OSError, ValueError
            As the function does.
        ChildProcessError
            If the process ends before the function.
        """
        with self._lock:
            worker = self._idle.pop() if self._idle else _start(self._module)
            self._busy.append(worker)
        try:
            worker.connection.send((function, arguments))
            while True:
                kind, value = worker.connection.recv()
                if kind != "told":
                    break
                for told in value:
                    tell(*told)
        except (EOFError, ConnectionError):
            with self._lock:
                self._busy.remove(worker)
            worker.connection.close()
            raise ChildProcessError(_explain(worker.process.wait())) from None
        with self._lock:
            self._busy.remove(worker)
            self._idle.append(worker)
        if kind == "raised":
            raise value
        return value

    def stop(self) -> None:
        """Ask the functions that are running to return soon."""
        for worker in self._busy.copy():
            with suppress(OSError):
                worker.connection.send(None)

    def close(self) -> None:
        """End all processes."""
        for worker in self._busy + self._idle:
            worker.connection.close()
            worker.process.kill()
            worker.process.wait()
        self._busy, self._idle = [], []


def environment() -> dict[str, str]:
    """Return the environment of a process of this Python that can import birdview."""
    path = os.environ.get("PYTHONPATH")
    scripts = os.pathsep.join([str(paths.PACKAGE.parent), *([path] if path else [])])
    return {**os.environ, "PYTHONPATH": scripts}


def _start(module: str) -> _Worker:
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "birdview.workers", str(theirs.fileno()), module],
        pass_fds=[theirs.fileno()],
        env=environment(),
        stdin=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C is for the process that waits for it
    )
    theirs.close()
    return _Worker(process, ours)


def _explain(status: int) -> str:
    """Return why a process has ended."""
    if status >= 0:
        return f"its process ended with status {status}, expected its result: a defect"
    why = "killed by hand or for want of memory" if status == -9 else "a crash"
    return (
        f"its process ended by {signal.Signals(-status).name}, expected its result: "
        f"{why}; the same command does the rest"
    )


def serve(connection: Connection) -> None:
    """Do what a `Workers` asks for, until it is gone."""
    with suppress(EOFError, ConnectionError):
        while True:
            asked = connection.recv()
            if asked is not None:  # which is a late request to stop
                connection.send(_do(connection, *asked))


def _do(
    connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[str, Any]:
    kept: list[tuple[Any, ...]] = []
    last = time.monotonic()

    def tell(*value: Any) -> None:
        # Each message wakes a process, which may take a core from another worker.
        nonlocal last
        kept.append(value)
        if time.monotonic() - last > TELL_SECONDS:
            flush()
            last = time.monotonic()

    def flush() -> None:
        connection.send(("told", kept))
        kept.clear()

    try:
        value = function(*arguments, tell, connection.poll)
        flush()
        return "returned", value
    except ConnectionError:
        raise
    except _ERRORS as error:
        return "raised", error


if __name__ == "__main__":
    faulthandler.enable()
    importlib.import_module(sys.argv[2])
    serve(Connection(int(sys.argv[1])))
