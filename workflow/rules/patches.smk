# Workarounds for Snakemake, read from version 9.27.1. tests/workflow/test_patches.py fails
# when Snakemake changes what one of them relies on, and says which of them can go.
import faulthandler
import gc
import inspect
import os
import signal
import threading

from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG

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
