# What the rules share: the settings, checked; the encodings; where the scans are.
import faulthandler
import functools
import gc
import hashlib
import inspect
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

# To plan thousands of jobs takes objects by the hundred thousand. Python would look for
# garbage among them again and again: a quarter of the time to find nothing to do.
gc.set_threshold(100_000)

# A fault in native code ends Snakemake too: it shall not do so without a word.
faulthandler.enable()

SCRIPTS = str(Path(workflow.basedir) / "workflow" / "scripts")
sys.path.insert(0, SCRIPTS)

from birdview import bucket
from birdview.dataset import (
    divide,
    find_labelled,
    find_scans,
    find_unfit,
    name_scans,
    read_split,
    refuse_others_images,
)
from birdview.encoding import load_encodings
from birdview.layout import find_layout
from birdview.provenance import PIXEL_MODULES, digest_code, digest_lock
from birdview.schema import conform


def file_of(scan):
    return f"{FOLDER}/{scan}{LAYOUT.suffix}"


def stored(path):
    try:
        return storage(path).flags["storage_object"]
    except WorkflowError:
        raise ValueError(
            f"{path}: no plugin for it, expected the environment of envs/cluster.txt"
        ) from None


OBJECTS = {}
RESULTS = workflow.storage_settings.default_storage_prefix
if not (RESULTS and bucket.is_bucket(RESULTS)):
    RESULTS = None

try:
    config = conform(config, "config", "config")
    ENCODINGS = load_encodings(config["encodings"])
    LAYOUT = find_layout(config["layout"])
    if RESULTS:
        bucket.refuse_missing(stored(RESULTS))
    if config["scans"] is None:
        if RESULTS:
            raise ValueError(f"scans: null, expected scans for images in {RESULTS}")
        if config["layout"] != "kitti":
            raise ValueError(f"scans: null, expected a folder for the {LAYOUT}")
        if config["split"] is not None:
            raise ValueError("scans: null, expected the folder of the split's scans")
        FOLDER = "results/demo"
        refuse_others_images(ENCODINGS, FOLDER)
        SCANS = name_scans(config["demo"]["scans"])
    elif bucket.is_bucket(config["scans"]):
        FOLDER = config["scans"].rstrip("/")
        OBJECTS = bucket.find_objects(stored(FOLDER), LAYOUT.suffix)
        SCANS = read_split(config["split"]) if config["split"] else list(OBJECTS)
    else:
        FOLDER = config["scans"]
        SCANS = find_scans(FOLDER, LAYOUT.suffix, config["split"])
    more = bucket.UNFIT if OBJECTS or RESULTS else None
    UNFIT = {
        scan: f"{file_of(scan)!r}: no name for an image: {why}"
        for scan, why in find_unfit(SCANS, more).items()
    }
    if OBJECTS:
        UNFIT |= {
            scan: f"{file_of(scan)}: no such object"
            for scan in SCANS
            if scan not in OBJECTS
        }
    SCANS = [scan for scan in SCANS if scan not in UNFIT]
    if not SCANS:
        raise ValueError(next(iter(UNFIT.values())))
    PARTS = divide(SCANS, config["part_size"])
    LABELS = config["labels"]
    LABELLED = find_labelled(LABELS, SCANS) if LABELS else []
except (OSError, ValueError) as error:
    raise WorkflowError(str(error)) from None


onstart:
    # No setting switches Snakemake's limit of jobs per second off, and its timers make
    # the scheduler look at all jobs once more for each: 2 ms of 12.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    else:
        # The logger reads the log of a job that failed, also of one that never ran.
        make_empty_logs()
    # Snakemake's handler of SIGTERM takes this lock, in the thread that often holds it:
    # then it would wait for itself for ever.
    workflow.scheduler._lock = threading.RLock()


# All that decides an image besides the bytes of its scan. As one parameter of the rule:
# Snakemake would not notice it if two parameters swapped their values.
CODE = digest_code()
RECIPES = {
    name: {"encoding": encoding.digest, "layout": LAYOUT.name, "code": CODE}
    for name, encoding in ENCODINGS.items()
}

# What the Snakemake of a part has to know, and what it must not care for.
SETTINGS_OF_PARTS = {
    "scans": FOLDER,
    "layout": config["layout"],
    "encodings": config["encodings"],
    "demo": config["demo"],
    "labels": None,
    "reference": None,
}

# The pages of the benchmark, with what is measured for each.
MEASURED = {
    "summary": [
        "readers",
        "rasterisers",
        "encoders",
        "renderers",
        "encodings",
        "parallel",
        "starts",
    ],
    "scale": ["scale", "memory"],
}
MEASURING = ("alternatives", "reference", "ways", "measure", "benchmark", "scale")


def signed(function):
    # Snakemake asks for the signature for each image; here it is only made once.
    function.__signature__ = inspect.signature(function)
    return function


@signed
def scan_file(wildcards):
    file = file_of(wildcards.scan)
    if OBJECTS:
        return storage(file)
    # One that is listed but cannot be read, such as a link to nowhere, shall fail alone:
    # as an input, it would stop Snakemake.
    if config["scans"] is None or os.access(file, os.R_OK):
        return local(file) if RESULTS else file  # else it were looked for in the bucket
    return []


@signed
def recipe(wildcards):
    return RECIPES[wildcards.encoding]


def digest_of_encoding(wildcards):
    return ENCODINGS[wildcards.encoding].digest


def refused(wildcards):
    return [f"results/refused/{number}" for number in range(len(UNFIT))]


def demo_scans_of_part(wildcards):
    # Others are no inputs: Snakemake would read each once more, for its checksum.
    if config["scans"] is None:
        return [file_of(scan) for scan in PARTS[wildcards.part]]
    return []


def names_of_part(wildcards):
    return hashlib.sha256("\n".join(PARTS[wildcards.part]).encode()).hexdigest()


@functools.cache
def state_of_part(part):
    # As it is before it is rendered: what changes meanwhile, the next run shall see.
    states = [state_of(scan) for scan in PARTS[part]]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def state_of(scan):
    if scan in OBJECTS:
        return scan, OBJECTS[scan]
    if config["scans"] is None:
        return scan
    file = file_of(scan)
    try:
        status = os.stat(file)
    except OSError as error:
        return scan, error.errno
    return scan, status.st_size, status.st_mtime_ns, os.access(file, os.R_OK)


def want_images_here():
    if RESULTS:
        raise WorkflowError(
            f"default-storage-prefix: the images are in {RESULTS}, expected them in the "
            f"folder results: copy them here, and leave the prefix out"
        )


def images(wildcards):
    images = expand("results/{encoding}/{scan}.png", encoding=ENCODINGS, scan=SCANS)
    return images + refused(wildcards)


def images_here(wildcards):
    want_images_here()
    return images(wildcards)


def parts(wildcards):
    done = expand("results/parts/{part}.done", part=PARTS)
    return done + refused(wildcards)


def images_or_parts(wildcards):
    # A job on a cluster takes seconds to start; so there, a part of the images is one.
    return images(wildcards) if workflow.local_exec else parts(wildcards)


def images_by_scan(encoding, scans):
    return {scan: f"results/{encoding}/{scan}.png" for scan in scans}


def images_of_encoding(wildcards):
    want_images_here()
    return list(images_by_scan(wildcards.encoding, SCANS).values())


def images_on_sheet(wildcards):
    want_images_here()
    from birdview.sheet import choose_evenly

    return list(images_by_scan(wildcards.encoding, choose_evenly(SCANS)).values())


def meaning_of_pixels(wildcards):
    from birdview.legend import explain_pixels

    return explain_pixels(ENCODINGS[wildcards.encoding])


def pictures_of_report(wildcards):
    # Snakemake reports on what its target needs. So for a report, the pictures that
    # there are belong to it; but no other run shall draw them anew.
    if not any(word.split("=")[0] == "--report" for word in sys.argv):
        return []
    pictures = [f"results/contact_sheet/{name}.png" for name in ENCODINGS]
    pictures += ["results/counts.tsv", "results/counts.svg"]
    for tables in MEASURED.values():
        pictures += [f"results/benchmark/{table}.svg" for table in tables]
    return [picture for picture in pictures if os.path.exists(picture)]


def grids(wildcards):
    return expand("results/{encoding}/grid.json", encoding=ENCODINGS)


def label_files(scan):
    return [f"{LABELS}/{kind}/{scan}.txt" for kind in ("label_2", "calib")]


def found_label_files(wildcards):
    # A scan without calibration shall fail alone, and not stop Snakemake's planning.
    return [file for file in label_files(wildcards.scan) if os.path.isfile(file)]


def pictures_with_boxes(wildcards):
    want_images_here()
    if LABELS is None:
        raise WorkflowError("labels: null, expected the folder of label_2 and calib")
    return expand(
        "results/{encoding}/boxes/{scan}.png", encoding=ENCODINGS, scan=LABELLED
    )


def few_scans(wildcards):
    some = SCANS[:: max(1, len(SCANS) // 3)][:3]
    return [file_of(scan) for scan in some]


def page_tables(wildcards):
    names = [*MEASURED[wildcards.page], "machine"]
    return expand("results/benchmark/{table}.tsv", table=names)


def page_charts(wildcards):
    return expand("results/benchmark/{table}.svg", table=MEASURED[wildcards.page])


# What the rules call is imported when it runs: Snakemake starts sooner without it.


@contextmanager
def failures_in_one_line(log):
    try:
        yield
    except (MemoryError, OSError, ValueError) as error:
        # The logger reads it, now and then before Snakemake has made it.
        Path(log).touch()
        raise WorkflowError(str(error)) from None


def render_image(file, scan, image, encoding, log):
    from birdview.render import render

    with failures_in_one_line(log):
        render(file or file_of(scan), image, ENCODINGS[encoding], LAYOUT)


def refuse(number, log):
    with failures_in_one_line(log):
        raise ValueError(list(UNFIT.values())[number])


def write_settings(path, settings):
    from birdview import part

    part.write_settings(path, settings)


def write_split(path, name):
    from birdview import part

    part.write_split(path, PARTS[name])


def make_empty_logs():
    os.makedirs("results/logs/parts", exist_ok=True)
    for part in PARTS:
        Path(f"results/logs/parts/{part}.log").touch()


def render_part(settings, split, threads, log):
    from birdview import part

    source = stored(FOLDER) if OBJECTS else None
    target = stored(f"{RESULTS}/results") if RESULTS else None
    with failures_in_one_line(log):
        try:
            part.render_part(
                *(workflow.main_snakefile, settings, split, threads, log),
                *(source, target),
            )
        except (OSError, ValueError) as error:
            # On a cluster, this is what of the job is shown at the terminal.
            with open(log, "a") as file:
                print(error, file=file)
            raise


def write_legend(encoding, path):
    from birdview.legend import write_grid

    write_grid(ENCODINGS[encoding], path)


def outline(image, scan, encoding, picture, log):
    from birdview.boxes import draw_boxes

    with failures_in_one_line(log):
        draw_boxes(image, *label_files(scan), ENCODINGS[encoding], picture)


def every_image():
    return [
        (
            file_of(scan),
            f"results/{name}/{scan}.png",
            encoding,
            scan,
        )
        for name, encoding in ENCODINGS.items()
        for scan in SCANS
    ]


def list_images(table, threads, log):
    from birdview.manifest import describe_images, describe_run, write_manifest

    with failures_in_one_line(log):
        rows = describe_images([image[1:] for image in every_image()], threads)
        write_manifest(table, describe_run(ENCODINGS, LAYOUT), rows)


def bundle_of_manifest(wildcards):
    from birdview.bundle import name_bundle

    # The name has a digest of the images, which are known when there is a manifest.
    manifest = checkpoints.manifest.get().output.table
    try:
        return f"results/{name_bundle(workflow.basedir, config, manifest)}"
    except (OSError, ValueError) as error:
        raise WorkflowError(str(error)) from None


def pack(manifest, archive, log):
    from birdview.bundle import write_bundle

    with failures_in_one_line(log):
        write_bundle(archive, workflow.basedir, config, manifest)
        print(archive)


def verify_images(threads, log):
    from birdview.manifest import describe_run
    from birdview.verify import Finding, check_images, compare, conclude

    want_images_here()
    with failures_in_one_line(log):
        checked = check_images(every_image(), LAYOUT, threads)
        findings = [Finding("scan", "", "", refused) for refused in UNFIT.values()]
        findings += [one for result in checked.values() for one in result.findings]
        if config["reference"] is not None:
            run = describe_run(ENCODINGS, LAYOUT)
            findings += compare(checked, run, config["reference"], "results/verify")
        conclude(findings, len(checked), "results/verify.tsv")


def lay_out_gallery(folder, threads, log):
    from birdview.gallery import write_gallery

    with failures_in_one_line(log):
        os.makedirs(folder, exist_ok=True)
        missing = write_gallery(folder, every_image(), LAYOUT, threads, UNFIT)
        print(f"{folder}/index.html: {missing or 'no'} images are missing")


def draw_contact_sheet(encoding, picture, total, log):
    from birdview.sheet import choose_evenly, draw_sheet

    images = images_by_scan(encoding, choose_evenly(SCANS))
    with failures_in_one_line(log):
        draw_sheet(picture, images, ENCODINGS[encoding], total)


def shoot(encoding, movie, rate, log):
    from birdview.movie import write_movie

    with failures_in_one_line(log):
        images = images_by_scan(encoding, SCANS)
        write_movie(movie, images, ENCODINGS[encoding], rate)


def tally(manifest, table, chart, log):
    from birdview.tally import write_tally

    with failures_in_one_line(log):
        write_tally(manifest, table, chart)


def simulate_scan(number, scan):
    from birdview.demo import write_scan

    write_scan(scan, int(number), config["demo"]["seed"])


def measure(module, scans, cores, log):
    # In a process that holds nothing else, and that other processes can be started from.
    if config["layout"] != "kitti":
        raise WorkflowError(f"{LAYOUT}: the benchmark takes scans of the layout kitti")
    command = [
        *(sys.executable, "-m", module, "--snakefile", workflow.main_snakefile),
        *("--cores", str(cores), "--folder", "results/benchmark", *scans),
    ]
    with open(log, "w") as file:
        status = subprocess.call(
            command,
            env=os.environ | {"PYTHONPATH": SCRIPTS},
            stdout=file,
            stderr=file,
        )
    if status:
        *_, last = Path(log).read_text().splitlines() or ["nothing"]
        raise WorkflowError(f"{module} failed, and last said: {last} (all is in {log})")


def note_machine(table):
    from birdview.measure import describe_machine, write_table

    write_table(table, describe_machine())


def draw_table(table, picture):
    from birdview.charts import draw_chart

    draw_chart(table, picture)


def lay_out(page, tables, charts):
    from birdview.page import write_page

    write_page(page, "birdview: how fast it is here", tables, charts)
