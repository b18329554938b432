# What the rules share: the resolved settings, and how a job is run.
import os
import sys

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# As a module, in the workflow of someone else: its name.
MODULE = workflow.modifier.namespace

ROOT = os.path.normpath(f"{workflow.current_basedir}/../..")
SNAKEFILE = f"{ROOT}/Snakefile"

# A clone has its own package. Where Snakemake fetched the rules alone, it is an installed one.
SCRIPTS = f"{ROOT}/workflow/scripts"
if os.path.isdir(SCRIPTS):
    sys.path.insert(0, SCRIPTS)
try:
    import birdview
except ModuleNotFoundError:
    raise WorkflowError(
        f"birdview: not in {SCRIPTS} and not installed, expected the package of this "
        f"version: pip install it from its repository"
    ) from None
if os.path.isdir(SCRIPTS) and not os.path.samefile(
    os.path.dirname(birdview.__file__), f"{SCRIPTS}/birdview"
):
    raise WorkflowError(
        f"birdview: two copies in one workflow, {birdview.__file__} and {SCRIPTS}, "
        f"expected one"
    )

from birdview import jobs
from birdview.batches import Batches
from birdview.bucket import is_bucket
from birdview.provenance import digest_lock, digest_modules
from birdview.progress import Progress
from birdview.run import resolve
from birdview.settings import find_file


def explain(error):
    """Return the message of an error, with the name of the module that it is in."""
    return f"module {MODULE}: {error}" if MODULE else str(error)


include: "patches.smk"


# A file of the user's own, in the folder in which Snakemake works. Not in the workflow of
# someone else, whose file it would be.
OWN, IGNORED = None, ""
try:
    if not MODULE:
        OWN, IGNORED = find_file("config.yaml", f"{ROOT}/config.yaml")
except (OSError, ValueError) as error:
    raise WorkflowError(str(error)) from None
if IGNORED and workflow.is_main_process:
    logger.warning(IGNORED)

if OWN:

    # Over ours, but below --configfile and --config, which Snakemake applies once more.
    configfile: OWN


# The path of its results, which is another in a module with a prefix.
PREFIXED = workflow.modifier.path_modifier.replace_prefix("<results>")
RESULTS = workflow.pathvars.apply(PREFIXED)


def storage_object(path):
    """Return the StorageObject of a path in a bucket."""
    try:
        return storage(path).flags["storage_object"]
    except WorkflowError as error:
        why = str(error)
        if why.startswith("No storage provider"):
            why = "no plugin for it, expected the environment of envs/cluster.txt"
        raise ValueError(f"{path}: {' '.join(why.split())}") from None


try:
    RUN = resolve(
        {key: value for key, value in config.items() if key != "pathvars"},
        workflow.storage_settings.default_storage_prefix,
        storage_object,
        RESULTS,
        not workflow.remote_exec,
        files=[*([OWN] if OWN else []), *workflow.overwrite_configfiles],
        typed=workflow.config_settings.config_args or (),
    )
except (OSError, ValueError) as error:
    raise WorkflowError(explain(error)) from None

if not MODULE:
    config.update(RUN.settings)  # for the report

BATCHES = Batches(RUN, storage_object)
PROGRESS = Progress()

# What stays here if the images go to a bucket. A path that is local gets no module's prefix.
local_file = local if RUN.results_prefix else str


# <results>/{encoding}/{scan}.png are the images; <run> is for what is made of all of them.
pathvars:
    run="<results>/demo" if RUN.source.is_simulated else "<results>",


# Before the rules: for outputs in object storage, later ones do not count.
wildcard_constraints:
    encoding="|".join(RUN.encodings),
    scan=r"(?!boxes/|(.*/)?\.\./).+",
    number="[0-9]+",
    batch="[0-9]+-[0-9a-f]{8}",
    digest="[0-9a-f]{12}",
    below="(demo/)?",


def run_job(log, function, *arguments):
    """Run a job, and turn a failure into one line, also in its log."""
    start_log(log)
    try:
        function(*arguments)
    except ImportError as error:
        why = explain(jobs.explain_import(error))
        end_log(log, why, is_expected=True)
        raise WorkflowError(why) from None
    except (MemoryError, OSError, ValueError) as error:
        end_log(log, explain(error), is_expected=True)
        raise WorkflowError(explain(error)) from None
    except Exception as error:
        end_log(log, f"{type(error).__name__}: {error}")
        raise


def code_of(*modules):
    """Return a param that changes with modules and with what they import."""
    return lambda wildcards: digest_modules(*(f"birdview.{name}" for name in modules))


def all_cores(wildcards):
    """Return the cores of the run. When rules are read, a report or a lint has none."""
    return workflow.cores or 1
