"""What the rules call: plain functions, most of a `Run`, one for each kind of job.

They import what they need when they run, so that Snakemake starts sooner.
"""

import contextlib
import functools
import hashlib
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birdview import paths
from birdview.batches import Batches, Due, Tell
from birdview.bucket import is_bucket
from birdview.files import (
    PathLike,
    remove_abandoned,
    remove_empty,
    write_atomically,
    write_if_changed,
)
from birdview.image import ImageFile
from birdview.pixels.assembly import Assembly
from birdview.pixels.layout import load_layout
from birdview.pixels.recipe import recipe
from birdview.progress import Progress
from birdview.records import state_of
from birdview.run import Run
from birdview.search import check_folder
from birdview.workers import environment

if TYPE_CHECKING:
    from birdview.counts import Counts
    from birdview.pixels.encoding import Encoding
    from birdview.pixels.render import ScanRenderer

UNPACK_SECONDS = 5.0
"""How often it is said how far a bag is unpacked."""

_of_thread = threading.local()


def _renderer() -> "ScanRenderer":
    """Return the renderer that this thread keeps."""
    from birdview.pixels.render import ScanRenderer

    kept: dict[str, ScanRenderer] = vars(_of_thread)
    if "renderer" not in kept:
        kept["renderer"] = ScanRenderer()
    return kept["renderer"]


def simulate_scan(run: Run, number: int, scan: PathLike, labels: PathLike) -> None:
    """Simulate one scan of the demo's drive, and write it and its points' labels."""
    from birdview.demo import write_labelled_scan

    write_labelled_scan(scan, labels, number, run.settings["demo"]["seed"])


def list_inputs(run: Run, scan: str, encoding: str) -> list[str]:
    """Return the files that an image is made of and that can be inputs of its job.

    If it is not known which these are, those of the scan: its job tells why. An
    unreadable file (a broken link, say) must fail only this job, too; as an input it
    would abort the run.
    """
    assemblies = run.assemblies.for_encodings([run.encodings[encoding]])
    try:
        files = assemblies.files(scan)
    except (OSError, ValueError):
        files = assemblies.current.files(scan)
    if run.source.is_simulated:
        return files
    return [file for file in files if is_bucket(file) or os.access(file, os.R_OK)]


def render_image(
    run: Run, scan: str, encoding: str, files: Sequence[str], image: PathLike
) -> None:
    """Render an image.

    Parameters
    ----------
    run : Run
    scan, encoding : str
        The names.
    files : sequence of str
        What `list_inputs` returned, with copies in place of files in a bucket.
    image : path-like
    """
    wanted = run.encodings[encoding]
    assembly = run.assemblies.for_encodings([wanted]).of(scan)
    if run.assemblies.are_remote:
        copies = dict(zip(list_inputs(run, scan, encoding), files, strict=True))
        parts = (
            part._replace(file=copies.get(str(part.file), part.file))
            for part in assembly.parts
        )
        assembly = assembly._replace(parts=tuple(parts))
    (content,) = draw_images(run, assembly, [wanted])
    write_atomically(image, content)


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

    metadata.write_grid(run.encodings[encoding], run.layout, path, run.classes)


def explain_pixels(run: Run, encoding: str) -> str:
    """Explain the planes of an encoding's images, as a list in reStructuredText."""
    from birdview import metadata

    return metadata.explain_pixels(run.encodings[encoding], run.classes)


def describe_classes(run: Run, encoding: str) -> str:
    """Return the names and the colours of the classes that an encoding shows."""
    from birdview import metadata

    return json.dumps(metadata.list_classes(run.encodings[encoding], run.classes))


def record_recipe(run: Run, encoding: str) -> str:
    """Return a file that changes with the recipe of an encoding.

    It is an input of images: so those that were rendered in batches, of which Snakemake
    knows no params, become stale with a recipe as well.
    """
    digests = recipe(run.encodings[encoding], run.layout, run.assemblies.of_all)
    if run.assemblies.differ:
        digests["conditions"] = "those of each scan, in ../conditions"
    path = f"{run.records}/recipes/{encoding}.json"
    write_if_changed(path, json.dumps(digests, indent=2))
    return path


def record_conditions(run: Run, scan: str) -> list[str]:
    """Return the file that changes with the conditions of a scan; [] if none differ.

    It is an input of images, and not what conditions are read from: a calibration with
    another comment makes nothing stale, nor poses that were added.
    """
    return [run.assemblies.record(scan, run.records)] if run.assemblies.differ else []


def request_batches(run: Run, batches: Batches) -> None:
    """Request each batch in which something may be stale, and mark the others.

    Also in a dry run, which would not name it otherwise: the next run looks again.
    """
    for encoding in run.encodings:
        record_recipe(run, encoding)
    for folder in ("requested", "finished"):
        os.makedirs(f"{run.records}/{folder}", exist_ok=True)
    for batch, due in batches.due.items():
        _request(run, batch, due.scans)
    for batch, content in batches.adopt():
        _request(run, batch, [])
        write_atomically(run.mark_path(batch), content.encode())


def _request(run: Run, batch: str, scans: list[str]) -> None:
    """Request a batch, with the scans that may be stale.

    Snakemake begins with the jobs that have most to read, which is best for the last.
    """
    # Another first line each time: it compares checksums.
    lines = "\n".join([str(time.time_ns()), *scans])
    write_atomically(run.request_path(batch), os.fsencode(lines))


def render_batch(
    batches: Batches,
    batch: str,
    mark: PathLike,
    tell: Tell,
    forget: Callable[[str], None],
) -> None:
    """Render the stale images of a batch, and mark it as finished.

    `tell` and `forget` are for `birdview.batches`.
    """
    digest = batches.render(batch, draw_images, tell, forget)
    write_atomically(mark, digest.encode())


def _measure_image(run: Run, encoding: "Encoding", scan: str, *_: object) -> int:
    """Return the size of an image that is not written; 0 if it fails."""
    try:
        (content,) = draw_images(run, run.assemblies.of(scan), [encoding])
    except (MemoryError, OSError, ValueError):
        return 0
    return len(content)


def draw_images(
    run: Run, assembly: Assembly, encodings: "list[Encoding]"
) -> Iterator[bytes]:
    """Yield the images of an assembly in some encodings, as PNG files."""
    try:
        for content, _ in _renderer().make_images(assembly, encodings):
            yield content
    except ValueError as error:
        file = str(assembly.parts[0].file)
        if not run.layout.is_records or not str(error).startswith(f"{file}:"):
            raise
        from birdview.checks.images import name_fitting_layouts

        raise ValueError(f"{error}{name_fitting_layouts(file)}") from None


def draw_boxes(
    run: Run, image: PathLike, scan: str, encoding: str, picture: PathLike
) -> None:
    """Draw the labelled boxes of a scan on its image."""
    from birdview.view import boxes

    boxes.draw_boxes(
        image, run.read_boxes(scan), run.encodings[encoding], picture, run.classes
    )


def unmark_boxes(run: Run) -> None:
    """Remove the marks of batches of which a picture of boxes does not exist."""
    for mark, pictures in run.boxed_batches().items():
        if not all(map(os.path.exists, pictures)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(mark)


def draw_boxes_of_batch(run: Run, batch: str, mark: PathLike) -> None:
    """Draw the boxes of the scans of a batch, where they are not drawn yet.

    Raises
    ------
    ValueError
        If some cannot be drawn: a line for each error.
    """
    from birdview.view import boxes

    errors = dict[str, None]()
    labelled = set(run.labelled)
    for scan in run.scans_of(batch):
        for name, encoding in run.encodings.items() if scan in labelled else ():
            image, picture = run.image_path(name, scan), run.boxed_path(name, scan)
            try:
                labelled_boxes = run.read_boxes(scan)
                sources = image, labelled_boxes, encoding
                if not boxes.is_current(picture, *sources, run.classes):
                    os.makedirs(os.path.dirname(picture), exist_ok=True)
                    boxes.draw_boxes(*sources, picture, run.classes)
            except (MemoryError, OSError, ValueError) as error:
                errors[str(error)] = None
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(picture)
    if errors:
        raise ValueError("\n".join(errors))
    write_atomically(mark, b"")


def digest_dataset(run: Run) -> str:
    """Return what differs if another data set would be made of the same images.

    That is if other labels are read, which are too many to be inputs, or otherwise, or
    if settings differ, or names and colours of classes.
    """
    files = sorted({file for scan in run.labelled for file in run.label_files(scan)})
    settings = [run.settings[key] for key in ("dataset", "labels")]
    named = run.masks and [run.masks.classes.names, run.masks.classes.colours]
    parts = [run.splits, settings, named, [*map(state_of, files)]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_dataset(run: Run, encoding: str, index: PathLike, threads: int) -> None:
    """Write the data set of an encoding, and print what it has."""
    from birdview import dataset
    from birdview.inflate import inflate

    lines = dataset.write_dataset(run, encoding, index, threads, inflate, _print_once)
    _print("\n".join(lines))


def digest_predictions(run: Run, encoding: str) -> str:
    """Return what differs if other results would be made of predictions.

    That is if another data set, other predictions, cameras or scans are read, or if
    settings are no longer those of the data set.
    """
    from birdview.training.predictions import list_files

    files = [Path(run.index_path(encoding)), *list_files(run.require_predictions())]
    for scan in run.scans:
        files += map(Path, run.camera_files(scan))
    parts = [
        [run.encodings[encoding].digest, run.layout.digest],
        [run.source.state(scan) for scan in run.scans],
        *([str(path), state_of(path)] for path in files),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_kitti_results(run: Run, encoding: str, table: PathLike, threads: int) -> None:
    """Write predictions as results for KITTI's evaluation, and print how many."""
    from birdview import kitti_results

    _print("\n".join(kitti_results.write_results(run, encoding, table, threads)))


def conclude_after(
    prepare: Callable[[], None],
    execute: Callable[..., None],
    conclude: Callable[[int], str],
    now: Callable[[], int],
) -> Callable[..., None]:
    """Return what executes a workflow and then concludes the run, also if it failed.

    Here, because Snakemake's message of an error names the rules it came through.

    Parameters
    ----------
    prepare : function
        Is called first.
    execute : function
        Raises an exception if a job fails.
    conclude : function
        Is given the time of the start; returns why the run fails after all, or "".
    now : function
        Returns the time.
    """

    def execute_and_conclude(*arguments: Any, **options: Any) -> None:
        prepare()
        since = now()
        try:
            execute(*arguments, **options)
        except Exception:
            error = conclude(since)
            if error:
                print(error, file=sys.stderr)
            raise
        error = conclude(since)
        if error:
            raise SystemExit(error)

    return execute_and_conclude


def announce(
    run: Run, batches: Batches, alone: int, due: Mapping[str, Due], cores: int
) -> list[str]:
    """Say before a large run how much disk it needs, and how it would be faster.

    Parameters
    ----------
    run : Run
    batches : Batches
    alone : int
        Images to be rendered, one job each.
    due : mapping of str to Due
        Batches to be rendered.
    cores : int
    """
    from birdview import forecast

    def measure(run: Run, encoding: "Encoding", scan: str) -> int:
        with contextlib.suppress(ChildProcessError):  # as of the batch with this scan
            size: int = batches.call(_measure_image, run.narrow([scan]), encoding, scan)
            return size
        return 0

    images = alone + sum(one.images for one in due.values())
    lines = [forecast.describe_disk(run, images, measure)]
    lines.append(forecast.advise_batches(alone, cores))
    return [line for line in lines if line]


def conclude(
    run: Run, batches: Batches, since: int, shown: Collection[str]
) -> tuple[list[str], str]:
    """Look at all images of a run at its end, and write its tables.

    Parameters
    ----------
    run : Run
    batches : Batches
    since : int
        The start of the run, in nanoseconds as the file system counts them.
    shown : collection of str
        Errors that were printed already.

    Returns
    -------
    lines : list of str
        The summary.
    error : str
        Why the run fails, although all jobs succeeded; empty if it does not.

    Raises
    ------
    OSError
        If a table cannot be written.
    """
    from birdview.checks import images, recall, summary

    def log_of(image: ImageFile) -> str:
        return run.log_path(image.encoding.name, image.scan)

    def has_scan(scan: str) -> bool:
        return scan in scans or run.source.is_readable(scan)

    scans, all_images = set(run.scans), run.images
    last = None
    if run.results_prefix:
        failures = images.read_logs(all_images, log_of)
        seen, orphans = images.Seen(failures, is_known=False), []
        others = []
        warned = images.find_doubts(all_images, run.layout, batches.find_text())
    else:
        seen = images.look(all_images, log_of, since)
        found = None
        if run.is_batched:
            path = f"{run.records}/judged.json"
            last = recall.Recall(path, run.folder, batches.digest())
            found = last.read(scans)
        warned = images.find_doubts(all_images, run.layout) if found is None else found
        orphans = [
            run.image_path(name, scan)
            for name in run.encodings
            for scan in images.find_orphans(f"{run.results}/{name}", has_scan)
        ]
        below = "demo" if run.source.is_simulated else ""
        others = images.find_others(run.results, below, run.encodings)
    seen.failures.extend(
        images.Failure("-", scan, error) for scan, error in run.invalid.items()
    )
    known = scans | set(run.invalid)
    images.write_tables(run.folder, seen.failures, warned, known, since)
    for folder in (run.records, *(f"{run.results}/{name}" for name in run.encodings)):
        remove_abandoned(folder, since)
    # Snakemake leaves an empty log for each job that succeeded.
    for folder in dict.fromkeys((run.results, run.folder)):
        remove_empty(f"{folder}/logs")
    if last:
        last.write()
        batches.discard_others()
    outcome = summary.Outcome(
        seen,
        warned,
        left_out=run.left_out or run.unread_bag,
        orphans=orphans,
        others=others,
        images=run.results_prefix or os.path.abspath(run.results),
        tables=run.folder,
    )
    error = ""
    if warned and run.settings["strict"]:
        scans_in_doubt = summary.count_of(len({one.scan for one in warned}), "scan")
        error = (
            f"strict: warnings about {scans_in_doubt}, expected none: see "
            f"{run.folder}/warnings.tsv"
        )
    return summary.describe_outcome(outcome, shown), error


def choose_scans(run: Run) -> list[str]:
    """Return the names of the scans on a contact sheet."""
    from birdview.view.contact_sheet import choose_evenly

    return choose_evenly(run.scans)


def draw_contact_sheet(run: Run, encoding: str, picture: PathLike) -> None:
    """Draw some images of an encoding side by side."""
    from birdview.view import contact_sheet

    images = {scan: run.image_path(encoding, scan) for scan in choose_scans(run)}
    contact_sheet.draw_contact_sheet(
        picture, images, run.encodings[encoding], len(run.scans), run.classes
    )


def render_movie(run: Run, encoding: str, movie: PathLike) -> None:
    """Write a movie with one frame for each image of an encoding."""
    from birdview.view.movie import write_movie

    images = {scan: run.image_path(encoding, scan) for scan in run.scans}
    rate = run.settings["frame_rate"]
    write_movie(movie, images, run.encodings[encoding], rate, run.classes)


def write_gallery(run: Run, folder: PathLike, threads: int) -> None:
    """Write the page that shows all images, and print how many are missing."""
    from birdview.checks.images import find_doubts
    from birdview.inflate import inflate
    from birdview.view import gallery, layers

    predictions = run.settings["predictions"]
    if predictions is not None:
        layers.check_grids([*run.encodings.values()])

    def find_layers(encoding: "Encoding") -> list[layers.Layer]:
        return layers.find_layers(
            run.dataset_folder(encoding.name),
            encoding,
            run.layout,
            [*run.settings["dataset"]["classes"]],
            predictions,
            run.scans,
            _print,
        )

    os.makedirs(folder, exist_ok=True)
    doubts: dict[tuple[str, str], str] = {}
    for one in find_doubts(run.images, run.layout):
        for name in run.encodings if one.encoding == "-" else [one.encoding]:
            before = doubts.get((name, one.scan))
            text = f"{one.kind}: {one.found}; {one.advice}"
            doubts[name, one.scan] = f"{before}. {text}" if before else text
    missing = gallery.write_gallery(
        folder,
        run.images,
        lambda image: _error_of_scan(run, image),
        inflate,
        threads,
        run.invalid,
        doubts,
        find_layers,
        run.classes,
    )
    print(f"{folder}/index.html: {missing or 'no'} images are missing")


def _error_of_scan(run: Run, image: ImageFile) -> str:
    """Return what is wrong with the scan of an image, or nothing."""
    from birdview.pixels.assembly import PartReader

    assemblies = run.assemblies.for_encodings([image.encoding])
    try:
        PartReader().read(assemblies.of(image.scan), image.encoding.fields)
    except (MemoryError, OSError, ValueError) as error:
        return str(error)
    return ""


def write_manifest(run: Run, table: PathLike, threads: int) -> None:
    """List all images by their digests."""
    from birdview.inflate import inflate
    from birdview.reproduce import manifest

    rows = manifest.describe_images(run.images, threads, inflate)
    manifest.write_manifest(table, _describe_run(run), rows)


def _describe_run(run: Run) -> dict[str, str]:
    """Return what all images of a run have in common, and digests of data sets."""
    from birdview.reproduce.dataset import digest_files
    from birdview.reproduce.manifest import describe_run

    described = describe_run(run.encodings, run.layout, run.assemblies.describe())
    if run.has_datasets:
        for name in sorted(run.dataset_encodings):
            described[f"dataset {name}"] = digest_files(run.dataset_folder(name))
    return described


def write_point_counts(manifest: PathLike, table: PathLike, chart: PathLike) -> None:
    """Summarise the counts of points in a manifest, as a table and as a chart."""
    from birdview.view import point_counts

    point_counts.write_point_counts(manifest, table, chart)


def digest_splits(run: Run, encoding: str) -> str:
    """Return what differs if statistics of the same images would be others.

    That is if scans are in other splits, or if classes that are shown have other names.
    """
    from birdview.training.masks import shows_classes

    shows = any(map(shows_classes, run.encodings[encoding].channels))
    names = run.classes.names if shows and run.classes else None
    text = json.dumps([run.splits, names])
    return hashlib.sha256(text.encode()).hexdigest()


def write_statistics(run: Run, encoding: str, path: PathLike, threads: int) -> None:
    """Write the statistics of an encoding's planes, and print a line for each split."""
    from birdview.inflate import inflate
    from birdview.training import statistics

    images = [image for image in run.images if image.encoding.name == encoding]
    found = statistics.compute_statistics(
        images, run.splits, threads, inflate, run.classes
    )
    statistics.write_statistics(path, found)
    for line in statistics.summarise(found):
        _print(f"{path}: {line}")


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

    name = bundle.name_bundle(paths.ROOT, run.settings, run.splits, manifest)
    return f"{run.folder}/{name}"


def write_bundle(run: Run, manifest: PathLike, archive: PathLike) -> None:
    """Pack what a colleague needs to repeat the run."""
    from birdview.reproduce import bundle

    bundle.write_bundle(
        archive,
        paths.ROOT,
        run.settings,
        run.splits,
        manifest,
        run.results,
        {name: run.dataset_folder(name) for name in run.dataset_encodings},
    )
    print(archive)


def explain_import(error: ImportError) -> str:
    """Say what to do if a library is not there, or only parts of it."""
    lock = shlex.quote(str(paths.ROOT / "envs" / "requirements.txt"))
    why = " ".join(str(error).split())
    return (
        f"{error.name or 'import'}: {why}, expected a complete environment in "
        f"{sys.prefix}: {sys.executable} -m pip install --force-reinstall -r {lock}"
    )


def check_manifest(run: Run) -> None:
    """Raise OSError or ValueError if `compare_with` is set, and no manifest."""
    from birdview.reproduce.manifest import read_manifest

    theirs = run.settings["compare_with"]
    if theirs is None:
        return
    if not os.path.isfile(theirs):
        what = "a folder" if os.path.isdir(theirs) else "no such file"
        raise FileNotFoundError(
            f"compare_with: {theirs}: {what}, expected the manifest of a colleague, "
            f"which `snakemake manifest` writes to results/manifest.tsv"
        )
    read_manifest(theirs)


def verify_images(run: Run, threads: int) -> None:
    """Compare all images with their scans, and with a colleague's manifest.

    Raises
    ------
    ValueError
        If anything differs that matters.
    """
    from birdview.inflate import inflate
    from birdview.reproduce import verify

    def make_image(image: ImageFile) -> "tuple[bytes, Counts]":
        assemblies = run.assemblies.for_encodings([image.encoding])
        assembly = assemblies.of(image.scan)
        (made,) = _renderer().make_images(assembly, [image.encoding])
        return made

    run.check_images_are_local()
    checked = verify.check_images(run.images, make_image, threads, inflate)
    findings = [verify.Finding("scan", "", "", error) for error in run.invalid.values()]
    findings += [one for result in checked.values() for one in result.findings]
    theirs = run.settings["compare_with"]
    if theirs is not None:
        here, folder = _describe_run(run), f"{run.folder}/verify"
        findings += verify.compare(
            checked, here, run.encodings, theirs, run.results, folder, inflate
        )
    verify.conclude(findings, len(checked), f"{run.folder}/verify.tsv")


def inspect_scans(run: Run) -> None:
    """Say what the files of the scans are, and write settings that render them right.

    Raises
    ------
    OSError, ValueError
        If `scans` is not a folder that can be read.
    """
    from birdview.inspect.findings import inspect_folder
    from birdview.inspect.outputs import write_settings
    from birdview.inspect.page import write_page
    from birdview.inspect.report import format_report
    from birdview.pixels.encoding import load_encoding

    scans = run.settings["scans"]
    if run.source.is_remote or run.source.is_simulated:
        raise ValueError(
            f"scans: {scans or 'null'}, expected a folder on this machine, which "
            f"inspect reads: snakemake inspect --config scans=/data/van"
        )
    check_folder(scans)
    found = inspect_folder(
        scans,
        run.layout,
        # Points of other layouts may not have the fields that an encoding shows.
        [one for one in run.encodings.values() if not one.fields]
        or [load_encoding("mv3d")],
        run.chosen_files,
        run.results,
    )
    unread = str(run.found) if isinstance(run.found, Exception) else run.left_out
    if unread:
        found = found._replace(notes=[*found.notes, unread])
    folder = f"{run.folder}/inspect"
    settings = write_settings(found, run.settings, folder)
    page = f"{folder}/index.html"
    write_page(page, found, settings)
    report = format_report(found, settings, page)
    _print(report)


def unpack_bag(run: Run, batches: Batches) -> None:
    """Write the point clouds of a topic of a bag as scans, and print what renders them.

    Parameters
    ----------
    run : Run
    batches : Batches
        It knows when the run is interrupted.

    Raises
    ------
    OSError, ValueError
        If the bag cannot be read, or a file not be written.
    """
    from birdview.checks.summary import count_of
    from birdview.unpack.topic import unpack

    bag, topic = run.settings["bag"], run.settings["topic"]
    if bag is None:
        raise ValueError(
            "bag: null, expected the path of one: snakemake unpack --config "
            "bag=drive.mcap topic=/lidar"
        )
    run.check_images_are_local()
    progress = Progress()

    def begin(messages: int) -> None:
        _print(f"{bag}: {count_of(messages, 'message')} of {topic}")
        progress.begin({topic: messages}, _print, UNPACK_SECONDS)

    def tell() -> None:
        progress.tell(topic, failed=False)

    done = unpack(
        bag, topic, f"{run.results}/unpack", begin, tell, lambda: batches.is_stopped
    )
    changes = f"{done.written:,} written"
    if done.removed:
        changes += f", {done.removed:,} removed that the bag no longer has"
    _print(f"{done.scans}: {count_of(done.total, 'scan')}, {changes}")
    for note in done.notes:
        _print(f"{done.layout}: {note}")
    settings = f"scans={done.scans}", f"layout={done.layout}"
    _print(f"snakemake --config {shlex.join(settings)}")


@functools.cache
def _print_once(text: str) -> None:
    """Print a text, unless a job of this run has printed it."""
    _print(text)


def _print(text: str) -> None:
    """Print a text at once, with names of any bytes in it."""
    print(text.encode(errors="backslashreplace").decode(), flush=True)


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
    with open(log, "w") as file:
        status = subprocess.call(command, env=environment(), stdout=file, stderr=file)
    if status:
        *_, last = Path(log).read_text().splitlines() or ["nothing"]
        raise ValueError(f"{module} failed, and last said: {last} (see {log})")


def describe_machine(table: PathLike) -> None:
    """Write facts about this machine as a table."""
    from birdview.benchmark import machine
    from birdview.files import write_table

    write_table(table, machine.describe_machine())


def label_chart(table: str) -> dict[str, str]:
    """Return what the report calls the chart of a table of the benchmark."""
    from birdview.view import charts

    return {"shows": charts.CHARTS[table].title}


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
