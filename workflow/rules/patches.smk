# Workarounds for Snakemake, read from version 9.27.1. tests/workflow/test_patches.py fails
# when Snakemake changes what one of them relies on, and says which of them can go.
import contextlib
import faulthandler
import gc
import inspect
import logging
import os
import re
import signal
import threading

from birdview.checks.summary import MAX_SHOWN
from birdview.files import file_clock
from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG
from snakemake_interface_logger_plugins.common import LogEvent

# Planning allocates hundreds of thousands of objects; Python's default thresholds of
# garbage collection cost a quarter of a run with nothing to do.
gc.set_threshold(100_000)

# Jobs run in threads: a crash in native code kills Snakemake as well, and this makes it
# print a traceback.
faulthandler.enable()


def input_function(function):
    """Adapt an input function to Snakemake."""

    def adapted(wildcards):
        try:
            files = function(wildcards)
        except (OSError, ValueError) as error:
            # Snakemake prints any other exception as seven lines around ours.
            raise SystemExit(explain(error)) from None
        if PREFIXED == "<results>":
            return files
        # As a module with a prefix: Snakemake would put it before the user's scans too.
        if isinstance(files, str):
            return flag(files, PATH_MODIFIER_FLAG)
        return [flag(file, PATH_MODIFIER_FLAG) for file in files]

    # Snakemake inspects the signature once per image; here it is cached.
    adapted.__signature__ = inspect.signature(adapted)
    return adapted


def make_empty_log(path):
    """Create a log: the rich logger reads that of a job that failed before it wrote."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "a").close()


def start_log(path):
    """Remove a log: Snakemake keeps that of an earlier run, with an error of then."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def end_log(path, error, is_expected=False):
    """Write the error of a job to its log, after what is there."""
    with contextlib.suppress(OSError):  # that of a full disk, which is the error itself
        make_empty_log(path)
        with open(path, "a", errors="backslashreplace") as file:
            file.write(f"{error}\n")
    if is_expected:
        ERRORS.expected.add(path)


class OneLineErrors(logging.Filter):
    """Show an error that a job raised as one line, where Snakemake prints twelve.

    And only the first: a wrong setting may give as many as there are images.
    """

    def __init__(self):
        super().__init__()
        self.expected, self.shown = set(), []

    def filter(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_ERROR:
            return not self.expected.intersection(getattr(record, "log", ()))
        if event == LogEvent.ERROR:
            found = re.match(
                r'RuleException:\nWorkflowError in file ".*common\.smk", line \d+:\n(.*)',
                record.getMessage(),
            )
            if found:
                is_new = found[1] not in self.shown and len(self.shown) < MAX_SHOWN
                self.shown += [found[1]] if is_new else []
                record.msg, record.args = found[1], ()
                return is_new
        return True


ERRORS = OneLineErrors()
if workflow.is_main_process:
    logger.addFilter(ERRORS)


def conclude(since):
    """Print the summary, if the run was about images; return why it fails after all."""
    lines, error = [RUN.left_out], ""
    if asks_for_images():
        try:
            lines, error = jobs.conclude(RUN, since, ERRORS.shown)
        except (OSError, ValueError) as why:
            error = str(why)
    for line in filter(None, lines):
        logger.warning(explain(line))
    return error and explain(error)


def asks_for_images():
    """Whether Snakemake was asked to render images, or to look whether they are stale."""
    if workflow.dryrun or workflow.touch or isinstance(RUN.found, Exception):
        return False
    asked = {
        file.storage_object.query if file.is_storage else str(file)
        for job in workflow.dag.jobs
        for file in job.output
    }
    start = f"{RUN.results_prefix.rstrip('/')}/" if RUN.results_prefix else ""
    files = [image.path for image in RUN.images] + RUN.failures
    parts_start = f"{start}{RUN.folder}/parts/"
    return not asked.isdisjoint(f"{start}{file}" for file in files) or any(
        file.startswith(parts_start) for file in asked
    )


if workflow.is_main_process:
    # `onsuccess` runs neither in a module nor if there is nothing to do.
    workflow.execute = jobs.conclude_after(
        workflow.execute, conclude, lambda: file_clock(RUN.results)
    )


def stop_gracefully(*_):
    """Let running jobs finish, then stop.

    Snakemake's own handler takes a lock. It runs in the main thread, which may hold that
    lock, and then waits for itself. In a thread of its own, it waits for the main thread.
    """
    threading.Thread(target=workflow.scheduler.exit_gracefully).start()


onstart:
    if workflow.local_exec:
        # No setting turns off the limit of jobs per second, and its timers make the
        # scheduler look at all jobs once more for each: 2 ms of 12.
        workflow.scheduler.job_rate_limiter = None
    else:
        # Also for jobs that never run, such as those that a cluster refuses.
        for part in RUN.parts:
            make_empty_log(f"{RUN.folder}/logs/parts/{part}.log")
    signal.signal(signal.SIGTERM, stop_gracefully)
