"""The digests of the demo's scans and images are the same everywhere.

They are in tests/known_answers.tsv, with the counts: of the scan, the pixels and the
compressed image data of each image, and its figures. One encoding is also there with a
layout that moves and chooses points, tests/mounted.yaml. After an intended change,
write the table again:

    PYTHONPATH=tests python tests/workflow/test_known_answers.py
"""

import hashlib
import os
import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import ROOT
from numpy._core._multiarray_umath import __cpu_dispatch__

from birdview.benchmark.reference import LOOPS
from birdview.counts import Counts
from birdview.demo import write_labelled_scan
from birdview.files import read_table, write_table
from birdview.image import decode_image
from birdview.jobs import render_image
from birdview.pixels.figures import KEYWORD
from birdview.pixels.png import idat
from birdview.reproduce.manifest import read_manifest
from birdview.run import resolve

TABLE = ROOT / "tests" / "known_answers.tsv"
SCANS = ("000000", "000001")
ENCODINGS = [*LOOPS, "semantic"]
MOUNTED = ROOT / "tests" / "mounted.yaml"
ALL = read_table(TABLE)
KNOWN = [row for row in ALL if row["layout"] == "kitti"]


def describe(image, scan):
    """Return the row of an image."""
    content = image.read_bytes()
    text, pixels = decode_image(content, image)
    return {
        "encoding": text["birdview:encoding"],
        "layout": text["birdview:layout"],
        "scan": scan,
        "scan_sha256": text["birdview:scan_sha256"],
        "pixels_sha256": hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest(),
        "idat_sha256": hashlib.sha256(idat(content, image)).hexdigest(),
        **{key: text[f"birdview:{key}"] for key in Counts._fields if key != "hidden"},
        "figures": text[KEYWORD],
    }


@pytest.fixture
def answers(project):
    """Run the demo under some circumstances, and return the rows of its images."""

    def run(cores=2, **options):
        own = project.folder / "own.yaml"
        own.write_text(f"demo: {{scans: 2}}\nencodings: [{', '.join(ENCODINGS)}]")
        project.run("manifest", "--configfile", own, cores=cores, **options)
        settings = "scans=results/demo", f"layout={MOUNTED}", "encodings=[mv3d]"
        project.run("manifest", "--config", *settings, cores=cores, **options)
        return [*read("demo/manifest.tsv"), *read("manifest.tsv")]

    def read(manifest):
        results, rows = project.folder / "results", []
        for row in read_manifest(results / manifest)[1]:
            image = results / row.encoding / f"{row.scan}.png"
            row = row._replace(scan=row.scan.removeprefix("demo/"))
            values = row._asdict() | row.counts._asdict()
            del values["counts"], values["conditions_sha256"]
            assert values.pop("hidden") == 0
            listed = {key: str(value) for key, value in values.items()}
            digest = hashlib.sha256(image.read_bytes()).hexdigest()
            assert listed.pop("file_sha256") == digest
            rows.append(describe(image, row.scan))
            assert listed.items() < rows[-1].items()
        return rows

    return run


def test_all_encodings_are_known():
    """Two scans in each built-in encoding."""
    names = {path.stem for path in (ROOT / "workflow" / "encodings").glob("*.yaml")}
    assert set(ENCODINGS) == names
    assert [(row["encoding"], row["scan"]) for row in KNOWN] == [
        (name, scan) for name in sorted(names) for scan in SCANS
    ]
    left_out = "no_return", "dropped", "vehicle", "outside_height"
    for row in ALL[len(KNOWN) :]:
        assert row["layout"] == "mounted"
        assert all(int(row[key]) > 100 for key in left_out)


@pytest.mark.parametrize("cores", [1, 8])
def test_same_answers_with_any_number_of_cores(answers, cores):
    """And in any order: the scheduler picks the next jobs at random."""
    assert answers(cores) == ALL


def test_same_answers_on_a_plain_processor(answers, tmp_path):
    """Without its vector extensions, in the kernels and in NumPy.

    The first run compiles the kernels, the second loads them.
    """
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / "kernels"),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__),
    }
    assert answers(environment=environment) == ALL
    assert list((tmp_path / "kernels").rglob("*.nbc"))
    assert answers(environment=environment) == ALL


def test_same_answers_with_other_versions(answers, tmp_path):
    """Of Python, NumPy and Numba: those of the Python BIRDVIEW_OTHER_PYTHON.

    Its environment has what the workflow needs, in other versions.
    """
    python = os.environ.get("BIRDVIEW_OTHER_PYTHON")
    if not python:
        pytest.skip("BIRDVIEW_OTHER_PYTHON is not set: it is another Python")
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    assert answers(python=python, environment=environment) == ALL


def write_scans(folder):
    """Write the demo's scans and the labels of their points; return settings."""
    (folder / "labels").mkdir()
    for number, scan in enumerate(SCANS):
        labels = folder / "labels" / f"{scan}.label"
        write_labelled_scan(folder / f"{scan}.bin", labels, number, seed=0)
    return {
        "scans": str(folder),
        "point_labels": {"path": f"{folder}/labels"},
        "encodings": ENCODINGS,
    }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_scans(tmp_path_factory.mktemp("demo"))


@pytest.mark.parametrize("seed", range(3))
def test_no_image_affects_the_next_one(demo, tmp_path, seed):
    """Render in random order in four threads, which keep arrays between images."""
    run = resolve(demo)
    rows = random.Random(seed).sample(KNOWN * 3, 3 * len(KNOWN))

    def answer(item):
        number, row = item
        image, scan = tmp_path / f"{number}.png", row["scan"]
        render_image(run, scan, row["encoding"], [], image)
        return describe(image, scan)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, enumerate(rows))) == rows


@pytest.mark.parametrize(
    "row", KNOWN, ids=lambda row: f"{row['encoding']}-{row['scan']}"
)
def test_opencv_decodes_the_same_pixels(demo, tmp_path, row):
    """Their digest is the one in the table."""
    render_image(resolve(demo), row["scan"], row["encoding"], [], tmp_path / "a.png")
    pixels = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == row["pixels_sha256"]


def main():
    """Write the table."""
    with tempfile.TemporaryDirectory() as name:
        settings, image, rows = write_scans(Path(name)), f"{name}/image.png", []
        images = [("kitti", encoding) for encoding in sorted(ENCODINGS)]
        for layout, encoding in [*images, (str(MOUNTED), "mv3d")]:
            for scan in SCANS:
                run = resolve(settings | {"layout": layout})
                render_image(run, scan, encoding, [], image)
                rows.append(describe(Path(image), scan))
    write_table(TABLE, rows)


if __name__ == "__main__":
    main()
