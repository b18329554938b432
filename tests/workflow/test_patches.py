"""Workarounds for Snakemake in workflow/rules/patches.smk: are they still needed?

Most tests show what Snakemake does without one of them. If such a test fails with a
newer Snakemake, remove the workaround that it names, or adapt it.
"""

import inspect
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from helpers import ROOT
from rich.console import Console
from snakemake.common import get_function_params
from snakemake.exceptions import WorkflowError
from snakemake.jobs import Job
from snakemake.rules import Rule
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.types import MaxJobsPerTimespan
from snakemake_logger_plugin_rich.event_handler import EventHandler

PATCHES = "workflow/rules/patches.smk"
TEXT = (ROOT / PATCHES).read_text()


def run_snakefile(folder, text):
    """Run a workflow without workarounds; return what it printed."""
    (folder / "Snakefile").write_text(text)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--logger=rich"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_snakemake_keeps_the_default_garbage_collection(tmp_path):
    """Without `gc.set_threshold`, planning takes longer."""
    assert "gc.set_threshold(" in TEXT
    snakefile = "import gc\nprint('threshold', gc.get_threshold()[0], gc.isenabled())\n"
    output = run_snakefile(tmp_path, snakefile)
    assert "threshold 700 True" in output


def test_snakemake_prints_no_traceback_of_native_code(tmp_path):
    """Without `faulthandler.enable`, a crash in native code is silent."""
    assert "faulthandler.enable()" in TEXT
    snakefile = "import faulthandler\nprint('faults', faulthandler.is_enabled())\n"
    assert "faults False" in run_snakefile(tmp_path, snakefile)


def test_snakemake_inspects_the_signature_of_an_input_function_each_time():
    """Without `__signature__` in `input_function`, planning takes longer."""
    assert "adapted.__signature__ = inspect.signature(adapted)" in TEXT
    calls = inspect.getsource(Rule.apply_input_function)
    assert "get_input_function_aux_params(" in calls
    assert not hasattr(get_function_params, "cache_info")

    def adapted(wildcards):
        pass

    adapted.__signature__ = inspect.signature(adapted)
    assert get_function_params(adapted) is adapted.__signature__.parameters


def test_snakemake_wraps_the_error_of_an_input_function(tmp_path):
    """Without `SystemExit` in `input_function`, the message is seven lines long."""
    assert "raise SystemExit(explain(error)) from None" in TEXT
    output = run_snakefile(
        tmp_path,
        "def broken(wildcards):\n"
        "    raise ValueError('key: found a, expected b')\n"
        "\n"
        "rule all:\n"
        "    input: broken\n",
    )
    assert "InputFunctionException in rule all" in output
    assert "  ValueError: key: found a, expected b" in output.splitlines()
    assert "Traceback:" in output


def test_rich_logger_reads_logs_that_do_not_exist(tmp_path):
    """Without `make_empty_log`, it fails at a job that fails before it logs."""
    assert "make_empty_log" in TEXT
    info = {"rule": "render", "wildcards": {}, "log": [str(tmp_path / "none.log")]}
    handler = SimpleNamespace(jobs_info={1: info}, console=Console(quiet=True))
    with pytest.raises(FileNotFoundError, match=r"none\.log"):
        EventHandler.handle_job_error(handler, SimpleNamespace(jobid=1))


def test_snakemake_looks_at_all_inputs_for_each_of_them(tmp_path):
    """Without `is_pipe_or_service_input`, jobs with thousands of inputs start late."""
    assert "Job.is_pipe_or_service_input = is_pipe_or_service_input" in TEXT
    source = inspect.getsource(Job.is_pipe_or_service_input)
    assert "for dep, files in self.dag.dependencies[self].items():" in source
    assert "return path in dep.pipe_or_service_output" in source


def test_a_pipe_of_somebody_else_still_works(project):
    """In the workflow that uses this one as a module."""
    (project.folder / "Snakefile").write_text(
        f"module bev:\n    snakefile: {str(project.source / 'Snakefile')!r}\n\n"
        "use rule * from bev as bev_*\n\n"
        "rule end:\n    default_target: True\n    input: 'piped'\n"
        "    output: 'end'\n    shell: 'cat {input} > {output}'\n\n"
        "rule start:\n    output: pipe('piped')\n    shell: 'echo through > {output}'\n"
    )
    project.run("--snakefile", project.folder / "Snakefile")
    assert (project.folder / "end").read_text() == "through\n"


def test_snakemake_always_limits_the_jobs_per_second():
    """Without `job_rate_limiter = None`, every job takes longer."""
    assert "workflow.scheduler.job_rate_limiter = None" in TEXT
    assert "self.job_rate_limiter is None" in inspect.getsource(JobScheduler)
    # Only a false value of --max-jobs-per-timespan would turn off the limit.
    assert MaxJobsPerTimespan.parse_choice("0/1s")
    with pytest.raises(WorkflowError, match="Invalid max jobs per timespan"):
        MaxJobsPerTimespan.parse_choice("none")


HANDLER = "    signal.signal(signal.SIGTERM, stop_gracefully)\n"
SEND_SIGTERM = """
    with workflow.scheduler._lock:
        os.kill(os.getpid(), signal.SIGTERM)
        __import__("time").sleep(0.1)  # the handler runs here
"""


def test_sigterm_handler_of_snakemake_deadlocks(project):
    """It takes a lock in the main thread, which may hold the lock."""
    assert "self._lock = threading.Lock()" in inspect.getsource(JobScheduler)
    assert "with self._lock:" in inspect.getsource(JobScheduler.exit_gracefully)
    project.edit(PATCHES, HANDLER, SEND_SIGTERM)
    process = project.start()
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=10)
    os.killpg(process.pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert "Workflow start" in output


def test_our_sigterm_handler_does_not_deadlock(project):
    """It takes the lock in a thread of its own. See test_faults.py, too."""
    project.edit(PATCHES, HANDLER, HANDLER + SEND_SIGTERM)
    process = project.start()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1, output
    assert "Will exit after finishing" in output
    assert "Workflow Finished" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["all", "scans=nowhere"], "scans: no folder at {folder}/nowhere, expected one "
         "with scans"),
        (["boxes", "scans=null"], "labels: null, expected the folder of label_2 and "
         "calib, or labels in another format"),
    ],
)  # fmt: skip
def test_error_of_an_input_function_is_one_line(project, arguments, message):
    """Nothing but the message, and exit status 1."""
    target, *settings = arguments
    output = project.run(target, "--config", *settings, expect=1)
    lines = output.splitlines()
    assert message.format(folder=project.folder) in lines
    assert not re.search("Exception|Traceback|Error", output)
