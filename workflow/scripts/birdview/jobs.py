"""What the rules call: plain functions, most of a `Run`, one for each kind of job.

They import what they need when they run, so that Snakemake starts sooner.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birdview import paths
from birdview.files import PathLike
from birdview.image import ImageFile
from birdview.pixels.layout import load_layout
from birdview.run import Run
from birdview.sources import Bucket

if TYPE_CHECKING:
    from birdview.counts import Counts
    from birdview.pixels.encoding import Encoding
    from birdview.pixels.layout import Layout
    from birdview.pixels.render import Renderer

_of_thread = threading.local()


def _renderer(encoding: "Encoding", layout: "Layout") -> "Renderer":
    """Return the renderer that this thread keeps for an encoding."""
    from birdview.pixels.render import Renderer

    renderers: dict[Any, Renderer] = vars(_of_thread).setdefault("renderers", {})
    key = encoding, layout
    if key not in renderers:
        renderers[key] = Renderer(encoding, layout)
    return renderers[key]


def simulate_scan(run: Run, number: int, scan: PathLike) -> None:
    """Simulate one scan of the demo's drive and write its file."""
    from birdview.demo import write_scan

    write_scan(scan, number, run.settings["demo"]["seed"])


def render_image(
    run: Run, scan: str, encoding: str, file: PathLike | None, image: PathLike
) -> None:
    """Render a scan to an image.

    `file` is the input of the rule. It is empty for a scan that cannot be read, whose
    own path then gives the error.
    """
    renderer = _renderer(run.encodings[encoding], run.layout)
    renderer.render(file or run.source.file(scan), image)


def reject_name(run: Run, number: int) -> None:
    """Raise an error of scans that cannot be rendered because of their names."""
    errors = list(run.invalid.values())
    if number >= len(errors):
        raise ValueError(
            f"{run.results}/invalid/{number}: {len(errors)} errors in the names of "
            f"scans, expected a number below"
        )
    raise ValueError(errors[number])


def write_grid(run: Run, encoding: str, path: PathLike) -> None:
    """Write what the pixels of an encoding's images mean, as JSON."""
    from birdview import metadata

    metadata.write_grid(run.encodings[encoding], run.layout, path)


def explain_pixels(run: Run, encoding: str) -> str:
    """Explain the planes of an encoding's images, as a list in reStructuredText."""
    from birdview import metadata

    return metadata.explain_pixels(run.encodings[encoding])


def write_part_settings(path: PathLike, settings: dict[str, Any]) -> None:
    """Write the settings for the nested Snakemake of a part."""
    from birdview import parts

    parts.write_settings(path, settings)


def write_part_split(run: Run, part: str, path: PathLike) -> None:
    """Write the list of the scans of a part."""
    from birdview import parts

    parts.write_split(path, parts.scans_of(run, part))


def render_part(
    run: Run,
    snakefile: PathLike,
    settings: PathLike,
    split: PathLike,
    cores: int,
    log: PathLike,
    open_bucket: Callable[[str], Any],
) -> None:
    """Render the images of a part; for the arguments see `birdview.parts`."""
    from birdview import parts

    source = run.source.folder if isinstance(run.source, Bucket) else None
    prefix = run.results_prefix
    target = open_bucket(f"{prefix}/results") if prefix else None
    try:
        parts.render_part(snakefile, settings, split, cores, log, source, target)
    except (OSError, ValueError) as error:
        # On a cluster, the end of the log is shown at the terminal.
        with open(log, "a") as file:
            print(error, file=file)
        raise


def draw_boxes(
    run: Run, image: PathLike, scan: str, encoding: str, picture: PathLike
) -> None:
    """Draw the labelled boxes of a scan on its image."""
    from birdview.view import boxes

    labels, calibration = run.label_files(scan)
    boxes.draw_boxes(
        image, labels, calibration, run.encodings[encoding], picture, run.layout.frame
    )


def choose_scans(run: Run) -> list[str]:
    """Return the names of the scans on a contact sheet."""
    from birdview.view.contact_sheet import choose_evenly

    return choose_evenly(run.scans)


def draw_contact_sheet(run: Run, encoding: str, picture: PathLike) -> None:
    """Draw some images of an encoding side by side."""
    from birdview.view import contact_sheet

    images = {scan: run.image_path(encoding, scan) for scan in choose_scans(run)}
    contact_sheet.draw_contact_sheet(
        picture, images, run.encodings[encoding], len(run.scans)
    )


def render_movie(run: Run, encoding: str, movie: PathLike) -> None:
    """Write a movie with one frame for each image of an encoding."""
    from birdview.view.movie import write_movie

    images = {scan: run.image_path(encoding, scan) for scan in run.scans}
    write_movie(movie, images, run.encodings[encoding], run.settings["frame_rate"])


def write_gallery(run: Run, folder: PathLike, threads: int) -> None:
    """Write the page that shows all images, and print how many are missing."""
    from birdview.inflate import inflate
    from birdview.view import gallery

    os.makedirs(folder, exist_ok=True)
    missing = gallery.write_gallery(
        folder,
        run.images,
        lambda image: _error_of_scan(run, image),
        inflate,
        threads,
        run.invalid,
    )
    print(f"{folder}/index.html: {missing or 'no'} images are missing")


def _error_of_scan(run: Run, image: ImageFile) -> str:
    """Return what is wrong with the scan of an image, or nothing."""
    from birdview.pixels.scan import read_scan

    try:
        read_scan(image.scan_file, run.layout)
    except (MemoryError, OSError, ValueError) as error:
        return str(error)
    return ""


def write_manifest(run: Run, table: PathLike, threads: int) -> None:
    """List all images by their digests."""
    from birdview.inflate import inflate
    from birdview.reproduce import manifest

    rows = manifest.describe_images(run.images, threads, inflate)
    manifest.write_manifest(
        table, manifest.describe_run(run.encodings, run.layout), rows
    )


def write_point_counts(manifest: PathLike, table: PathLike, chart: PathLike) -> None:
    """Summarise the counts of points in a manifest, as a table and as a chart."""
    from birdview.view import point_counts

    point_counts.write_point_counts(manifest, table, chart)


def check_clone(target: str) -> None:
    """Raise ValueError if birdview is installed, for a target that needs its files."""
    if not hasattr(paths, "ROOT"):
        raise ValueError(
            f"{target}: {paths.PACKAGE} is an installed package, expected a clone of "
            f"birdview, which has the whole workflow"
        )


def name_bundle(run: Run, manifest: PathLike) -> str:
    """Return the path of the bundle of a run, which has a digest of its content."""
    from birdview.reproduce import bundle

    return f"{run.folder}/{bundle.name_bundle(paths.ROOT, run.settings, manifest)}"


def write_bundle(run: Run, manifest: PathLike, archive: PathLike) -> None:
    """Pack what a colleague needs to repeat the run."""
    from birdview.reproduce import bundle

    bundle.write_bundle(archive, paths.ROOT, run.settings, manifest, run.results)
    print(archive)


def verify_images(run: Run, threads: int) -> None:
    """Compare all images with their scans, and with a colleague's manifest.

    Raises
    ------
    ValueError
        If anything differs that matters.
    """
    from birdview.inflate import inflate
    from birdview.reproduce import manifest, verify

    def make_image(image: ImageFile) -> "tuple[bytes, Counts]":
        return _renderer(image.encoding, run.layout).make_image(image.scan_file)

    run.check_images_are_local()
    checked = verify.check_images(run.images, make_image, threads, inflate)
    findings = [verify.Finding("scan", "", "", error) for error in run.invalid.values()]
    findings += [one for result in checked.values() for one in result.findings]
    theirs = run.settings["compare_with"]
    if theirs is not None:
        here = manifest.describe_run(run.encodings, run.layout)
        findings += verify.compare(
            checked, here, theirs, run.results, f"{run.folder}/verify", inflate
        )
    verify.conclude(findings, len(checked), f"{run.folder}/verify.tsv")


def run_benchmark(
    run: Run,
    module: str,
    scans: list[str],
    cores: int,
    snakefile: PathLike,
    log: PathLike,
) -> None:
    """Run a module of the benchmark in a process of its own.

    So it measures a process that holds nothing else, and can start others.

    Raises
    ------
    ValueError
        If the layout is not `kitti`, or if the benchmark fails.
    """
    if run.layout != load_layout("kitti"):
        raise ValueError(
            f"layout: {run.layout.name}, expected kitti as it is: the benchmark reads "
            f"no other"
        )
    command = [
        *(sys.executable, "-m", module, "--snakefile", snakefile),
        *("--cores", str(cores), "--folder", f"{run.folder}/benchmark", *scans),
    ]
    scripts = str(paths.PACKAGE.parent)
    with open(log, "w") as file:
        status = subprocess.call(
            command, env=os.environ | {"PYTHONPATH": scripts}, stdout=file, stderr=file
        )
    if status:
        *_, last = Path(log).read_text().splitlines() or ["nothing"]
        raise ValueError(f"{module} failed, and last said: {last} (see {log})")


def describe_machine(table: PathLike) -> None:
    """Write facts about this machine as a table."""
    from birdview.benchmark import machine
    from birdview.files import write_table

    write_table(table, machine.describe_machine())


def draw_chart(table: PathLike, picture: PathLike) -> None:
    """Draw a table of the benchmark."""
    from birdview.view import charts

    charts.draw_chart(table, picture)


def write_benchmark_page(
    page: PathLike, tables: list[str], pictures: list[str]
) -> None:
    """Write a page of tables and charts of the benchmark."""
    from birdview.benchmark.page import write_page

    write_page(page, "birdview: how fast it is here", tables, pictures)
