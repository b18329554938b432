# What the rules share: the resolved settings, input functions, and how a job is run.
import os
import sys

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/workflow/scripts")

from birdview import jobs, parts
from birdview.pixels.recipe import recipe
from birdview.provenance import digest_lock, digest_modules
from birdview.run import image_path, resolve


include: "patches.smk"


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
        config, workflow.storage_settings.default_storage_prefix, storage_object
    )
except (OSError, ValueError) as error:
    raise WorkflowError(str(error)) from None

config.update(RUN.settings)  # for the report

# Everything that determines an image apart from its scan. One dict, because Snakemake
# compares params as a set and would miss two values swapping.
RECIPES = {name: recipe(value, RUN.layout) for name, value in RUN.encodings.items()}


def run_job(log, function, *arguments):
    """Run a job, and turn a failure into one line."""
    try:
        function(*arguments)
    except Exception as error:
        make_empty_log(log)
        if isinstance(error, (MemoryError, OSError, ValueError)):
            raise WorkflowError(str(error)) from None
        raise


def code_of(*modules):
    """Return a param that changes with modules and with what they import."""
    return lambda wildcards: digest_modules(*(f"birdview.{name}" for name in modules))


@input_function
def scan_input(wildcards):
    """Return the file of a scan, as an input of its image."""
    file = RUN.scan_file(wildcards.scan)
    if RUN.source.is_remote:
        return storage(file)
    # An unreadable scan (a broken link, say) must fail only its own job; as a declared
    # input it would abort the run.
    if not RUN.source.is_readable(wildcards.scan):
        return []
    return local(file) if RUN.results_prefix else file


@input_function
def invalid_names(wildcards):
    """Return an output of a job that fails for each scan with an invalid name."""
    return [f"results/invalid/{number}" for number in range(len(RUN.invalid))]


@input_function
def images(wildcards):
    """Return all images, wherever they are."""
    return [image.path for image in RUN.images] + invalid_names(wildcards)


@input_function
def local_images(wildcards):
    """Return all images; they must be in the folder results."""
    RUN.check_images_are_local()
    return images(wildcards)


@input_function
def images_of_encoding(wildcards):
    """Return the images of one encoding."""
    RUN.check_images_are_local()
    return [image_path(wildcards.encoding, scan) for scan in RUN.scans]


@input_function
def images_on_sheet(wildcards):
    """Return the images on the contact sheet of an encoding."""
    RUN.check_images_are_local()
    return [image_path(wildcards.encoding, scan) for scan in jobs.choose_scans(RUN)]


@input_function
def finished_parts(wildcards):
    """Return the marks of all parts."""
    marks = [f"results/parts/{part}.done" for part in RUN.parts]
    return marks + invalid_names(wildcards)


@input_function
def images_or_parts(wildcards):
    """Return what the default target renders: on a cluster, a job takes seconds to start."""
    return images(wildcards) if workflow.local_exec else finished_parts(wildcards)


def grids(wildcards):
    """Return the description of the pixels of each encoding."""
    return [f"results/{name}/grid.json" for name in RUN.encodings]


@input_function
def boxed_pictures(wildcards):
    """Return the pictures with boxes of all scans that have labels."""
    RUN.check_images_are_local()
    return RUN.boxed_pictures


@input_function
def label_inputs(wildcards):
    """Return the label files of a scan that exist: one without must fail alone."""
    return [file for file in RUN.label_files(wildcards.scan) if os.path.isfile(file)]


@input_function
def bundle_of_manifest(wildcards):
    """Return the bundle, whose name is only known when there is a manifest."""
    return jobs.name_bundle(RUN, checkpoints.manifest.get().output.table)


def report_pictures(wildcards):
    """Return those pictures for a report that exist."""
    return [picture for picture in RUN.report_pictures if os.path.exists(picture)]


@input_function
def few_scans(wildcards):
    """Return up to three scans for the benchmark."""
    return RUN.few_scan_files
