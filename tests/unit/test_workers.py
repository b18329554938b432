"""Functions in other processes: what they return, tell and raise, and how they end.

The functions are those of other modules: of this one, a worker could not import them.
"""

import os
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest
from helpers import wait_for

from birdview import paths
from birdview.workers import Workers


@pytest.fixture
def one(tmp_path, monkeypatch):
    """Return workers, none of which is started, that can import the module `tasks`."""
    (tmp_path / "tasks.py").write_text(
        """
import os
import time


def add(a, b, tell, is_stopped):
    tell("first", a)
    tell("second", b)
    return a + b


def name_process(tell, is_stopped):
    return os.getpid()


def fail(error, tell, is_stopped):
    raise error


def wait(path, tell, is_stopped):
    open(path, "w").close()
    while not is_stopped():
        time.sleep(0.01)
    return "stopped"


def kill(number, tell, is_stopped):
    os.kill(os.getpid(), number)
"""
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    made = Workers(0, "tasks")
    yield made
    made.close()
    sys.modules.pop("tasks", None)


def test_returns_and_tells_in_order(one):
    import tasks

    told = []
    result = one.call(tasks.add, 2, 3, tell=lambda *value: told.append(value))
    assert result == 5
    assert told == [("first", 2), ("second", 3)]
    assert one.call(tasks.add, "a", "b") == "ab"


def test_each_call_has_a_process_that_is_kept(one):
    import tasks

    names = {one.call(tasks.name_process) for _ in range(3)}
    assert len(names) == 1
    assert os.getpid() not in names


@pytest.mark.parametrize(
    "error",
    [ValueError("a: 3 found"), FileNotFoundError(2, "none", "a.bin"), MemoryError("a")],
)
def test_raises_what_the_function_raises(one, error):
    """And the process is there for the next call."""
    import tasks

    with pytest.raises(type(error)) as caught:
        one.call(tasks.fail, error)
    assert str(caught.value) == str(error)
    assert one.call(tasks.add, 1, 1) == 2


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (signal.SIGKILL, "killed by hand or for want of memory; the same command does"),
        (signal.SIGSEGV, "a crash; the same command does the rest"),
    ],
)
def test_says_how_a_process_has_ended(one, number, why, capfd):
    """Also of a crash in native code, with a traceback. The next call has another."""
    import tasks

    expected = f"its process ended by {number.name}, expected its result: {why}"
    with pytest.raises(ChildProcessError, match=expected):
        one.call(tasks.kill, int(number))
    traceback = "Fatal Python error: Segmentation fault"
    assert (traceback in capfd.readouterr().err) == (number == signal.SIGSEGV)
    assert one.call(tasks.add, 1, 1) == 2


def test_defect_ends_the_process_with_a_traceback(one, capfd):
    import tasks

    with pytest.raises(ChildProcessError, match="its process ended with status 1"):
        one.call(tasks.fail, KeyError("a defect"))
    assert "KeyError: 'a defect'" in capfd.readouterr().err


def test_stop_asks_running_functions_only(one, tmp_path):
    """A function of a later call is not asked."""
    import tasks

    results = []
    path = tmp_path / "begun"
    call = partial(one.call, tasks.wait, str(path))
    thread = threading.Thread(target=lambda: results.append(call()))
    one.stop()
    thread.start()
    wait_for(path.exists)
    assert not results
    one.stop()
    thread.join(timeout=20)
    assert results == ["stopped"]
    assert one.call(tasks.add, 1, 1) == 2


def test_processes_end_with_the_one_that_made_them():
    """However it ends."""
    code = (
        "import time; from birdview.workers import Workers; "
        "made = Workers(2, 'birdview.files'); "
        "print(*[one.process.pid for one in made._idle], flush=True); time.sleep(100)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(paths.PACKAGE.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    names = process.stdout.readline().split()
    assert len(names) == 2
    process.kill()
    process.communicate()
    wait_for(lambda: not any(map(is_alive, names)))


def is_alive(name):
    """Whether a process is there, and no zombie that nobody has waited for."""
    try:
        with open(f"/proc/{name}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
