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
from birdview.progress import BAR_SECONDS, LINE_SECONDS
from birdview.targets import TARGETS, explain_target
from snakemake.io import IOFile, flag
from snakemake.jobs import Job
from snakemake.path_modifier import PATH_MODIFIER_FLAG
from snakemake_interface_logger_plugins.common import LogEvent

# Planning allocates hundreds of thousands of objects; Python's default thresholds of
# garbage collection cost a quarter of a run with nothing to do.
gc.set_threshold(100_000)

# Jobs run in threads: a crash in native code kills Snakemake as well, and this makes it
# print a traceback.
faulthandler.enable()


def is_pipe_or_service_input(job, path):
    """Whether the job that makes an input has it as a pipe or a service.

    As Snakemake's own method, which looks at all inputs again for each of them: that
    takes seconds if a job needs thousands of images.
    """
    if not hasattr(job, "_pipes"):
        job._pipes = {
            file
            for maker, files in job.dag.dependencies[job].items()
            for file in maker.pipe_or_service_output.intersection(files)
        }
    return path in job._pipes


Job.is_pipe_or_service_input = is_pipe_or_service_input


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
    """Show the errors that a job raised as a line each, where Snakemake prints twelve.

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
            if missing := explain_missing_rule(record.getMessage()):
                record.msg, record.args = missing, ()
                return True
            found = re.match(
                r'(?:RuleException:\n)?WorkflowError in file ".*common\.smk", line \d+:\n'
                r'((?:(?!  File ").*\n?)+)',
                record.getMessage(),
            )
            if found:
                new = [line for line in found[1].splitlines() if line not in self.shown]
                new = new[: MAX_SHOWN - len(self.shown)]
                self.shown += new
                record.msg, record.args = "\n".join(new), ()
                return bool(new)
        return True


def explain_missing_rule(message):
    """Return what is wrong with a target, in place of what Snakemake says of rules."""
    if MODULE or "RUN" not in globals():
        return ""
    found = re.match(
        r"MissingRuleException:\nNo rule to produce (.*) \(if you", message
    )
    if found:
        return explain_target(RUN, found[1])
    if "Target rules may not contain wildcards" in message:
        targets = ", ".join(workflow.dag_settings.targets)
        return (
            f"{targets}: a rule for single files, expected a file or one of "
            f"{', '.join(TARGETS)}"
        )
    return ""


class FinishedBatches(logging.Filter):
    """Count the scans of batches that other machines have rendered."""

    def __init__(self):
        super().__init__()
        self.batches = {}

    def filter(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO and "batch" in (record.wildcards or ()):
            self.batches[record.jobid] = record.wildcards["batch"]
        if event == LogEvent.JOB_FINISHED and record.job_id in self.batches:
            PROGRESS.end(self.batches[record.job_id])
        return True


ERRORS = OneLineErrors()
if workflow.is_main_process:
    logger.addFilter(ERRORS)


def conclude(since):
    """Print the summary, if the run was about images; return why it fails after all."""
    lines, error = [RUN.left_out], ""
    BATCHES.close()
    if asks_for_images():
        try:
            lines, error = jobs.conclude(RUN, BATCHES, since, ERRORS.shown)
        except (OSError, ValueError) as why:
            error = str(why)
    for line in filter(None, lines):
        logger.warning(explain(line))
    return error and explain(error)


def start_of_results():
    """Return what Snakemake has before the paths of images: the prefix of a bucket."""
    return f"{RUN.results_prefix.rstrip('/')}/" if RUN.results_prefix else ""


def asks_for_images():
    """Whether Snakemake was asked to render images, or to look whether they are stale."""
    if workflow.dryrun or workflow.touch or isinstance(RUN.found, Exception):
        return False
    if workflow.dag is None:  # an error before there was a plan
        return False
    asked = {
        file.storage_object.query if file.is_storage else str(file)
        for job in workflow.dag.jobs
        for file in job.output
    }
    if RUN.is_batched and not asked.isdisjoint(RUN.marks):
        return True
    start, files = start_of_results(), (image.path for image in RUN.images)
    return not asked.isdisjoint(f"{start}{file}" for file in (*files, *RUN.failures))


def forget_image(path):
    """Remove what Snakemake knows of an image that a batch renders.

    Otherwise it would take older inputs, if they come back, for those of this image.
    """
    workflow.persistence.cleanup_metadata(IOFile(f"{start_of_results()}{path}"))


def start_workers():
    """Start processes for batches; in a module, their first job is the first to do so."""
    if workflow.local_exec and workflow.is_main_process:
        BATCHES.start(workflow.cores)


def announce():
    """Say what the run needs, and show how far its batches are."""
    rules = [job.rule.name for job in workflow.dag.needrun_jobs()]
    alone = sum(rule.endswith("render") for rule in rules)
    due = BATCHES.due if any(rule.endswith("render_batch") for rule in rules) else {}
    if due:
        start_workers()
        if workflow.scheduler.subsample:
            # Enough to begin with the largest batches: the last ones are to be small.
            workflow.scheduler.subsample = max(workflow.scheduler.subsample, 64)
    for line in jobs.announce(RUN, BATCHES, alone, due, workflow.cores or 1):
        logger.warning(explain(line))
    if due:
        scans = {batch: len(due[batch].scans) for batch in due}
        show = add_bar(sum(scans.values()))
        interval = BAR_SECONDS if show else LINE_SECONDS
        PROGRESS.begin(scans, show or logger.warning, interval)


def add_bar(total):
    """Add a bar for all batches to those of the rich logger, one for each rule.

    Return what moves it; None if this is no terminal.
    """
    listener = workflow.logger_manager.queue_listener
    for handler in listener.handlers if listener else ():
        if hasattr(handler, "progress") and handler.console.is_terminal:
            bars = handler.progress
            bar = bars.add_task("scans", total=total, active="")
            return lambda line: bars.update(
                bar, description=line, completed=PROGRESS.done
            )
    return None


def prepare():
    """Settle what is only known when all rules are read, before there is a plan."""
    render_elsewhere_in_batches()
    # As an input of the image, it would cost every job, and make images stale.
    settings = workflow.dag_settings
    if not RUN.results_prefix:
        settings.targets = [*settings.targets, *RUN.grids_for(settings.targets)]


def render_elsewhere_in_batches():
    """Render in batches if jobs run elsewhere, which is not known when rules are read.

    Snakemake passes on the executor only if it is no dry run, which is to plan the same.
    """
    global RUN, BATCHES
    frame = inspect.currentframe()
    while frame and frame.f_code.co_name != "execute_workflow":
        frame = frame.f_back
    plugin = frame and frame.f_locals.get("executor_plugin")
    if plugin and not plugin.common_settings.local_exec:
        RUN = RUN.elsewhere()
        BATCHES = Batches(RUN, storage_object)
        logger.addFilter(FinishedBatches())


if workflow.is_main_process:
    # `onsuccess` runs neither in a module nor if there is nothing to do.
    workflow.execute = jobs.conclude_after(
        prepare, workflow.execute, conclude, lambda: file_clock(RUN.results)
    )


def stop_gracefully(*_):
    """Let running jobs finish, then stop.

    Snakemake's own handler takes a lock. It runs in the main thread, which may hold that
    lock, and then waits for itself. In a thread of its own, it waits for the main thread.
    """
    BATCHES.stop()
    threading.Thread(target=workflow.scheduler.exit_gracefully).start()


def interrupt(*_):
    """Let running batches end at once: Snakemake waits for its jobs."""
    BATCHES.stop()
    raise KeyboardInterrupt


onstart:
    if workflow.local_exec:
        # No setting turns off the limit of jobs per second, and its timers make the
        # scheduler look at all jobs once more for each: 2 ms of 12.
        workflow.scheduler.job_rate_limiter = None
    elif RUN.is_batched:
        # Also for jobs that never run, such as those that a cluster refuses.
        for batch in BATCHES.due:
            make_empty_log(f"{RUN.folder}/logs/batches/{batch}.log")
    announce()
    signal.signal(signal.SIGTERM, stop_gracefully)
    signal.signal(signal.SIGINT, interrupt)
