"""The digests of the demo's scans and images, which are the same everywhere.

They are in known_answers.tsv. To write them anew after a change that is meant, copy the
lines without # of a manifest that was made with these settings.
"""

import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest
from conftest import ROOT
from numpy._core._multiarray_umath import __cpu_dispatch__

from birdview.demo import write_scan
from birdview.encoding import load_encoding
from birdview.manifest import describe_image, read_manifest
from birdview.reference import LOOPS
from birdview.render import render

_, KNOWN = read_manifest(ROOT / "tests" / "known_answers.tsv")


@pytest.fixture
def answers(project):
    """Return the rows of the manifest of the demo, under some circumstances."""

    def answer(cores=2, **options):
        own = project.folder / "own.yaml"
        own.write_text(f"demo: {{scans: 2}}\nencodings: [{', '.join(LOOPS)}]")
        arguments = ("manifest", "--configfile", own)
        project.run(*arguments, cores=cores, **options)
        return read_manifest(project.folder / "results" / "manifest.tsv")[1]

    return answer


def test_all_encodings_are_known():
    """Each of two scans in each that is shipped."""
    assert {(row.encoding, row.scan) for row in KNOWN} == {
        (name, scan) for name in LOOPS for scan in ("000000", "000001")
    }


@pytest.mark.parametrize("cores", [1, 8])
def test_however_many_cores(answers, cores):
    """And in whatever order: the scheduler draws the next jobs by chance."""
    assert answers(cores) == KNOWN


def test_compiled_anew(answers, tmp_path):
    """Without the kernels that were kept, and once more with those kept then."""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    assert answers(environment=environment) == KNOWN
    assert list((tmp_path / "kernels").rglob("*.nbc"))
    assert answers(environment=environment) == KNOWN


def test_processor_without_extensions(answers, tmp_path):
    """No vectors beyond the plainest, neither in the kernels nor in NumPy."""
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / "kernels"),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__),
    }
    assert answers(environment=environment) == KNOWN


def test_other_versions(answers, tmp_path):
    """Of Python, NumPy and Numba: those of the Python that BIRDVIEW_OTHER_PYTHON names.

    It is that of an environment with what the workflow needs, in other versions.
    """
    python = os.environ.get("BIRDVIEW_OTHER_PYTHON")
    if not python:
        pytest.skip(
            "BIRDVIEW_OTHER_PYTHON names no other Python with the workflow's needs"
        )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    assert answers(python=python, environment=environment) == KNOWN


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Write the demo's scans; return their folder."""
    folder = tmp_path_factory.mktemp("demo")
    for number in range(2):
        write_scan(folder / f"{number:06}.bin", number, seed=0)
    return folder


@pytest.mark.parametrize("seed", range(3))
def test_order_shuffled(demo, tmp_path, seed):
    """Nothing that a thread keeps from image to image shows in the next one."""
    rows = random.Random(seed).sample(KNOWN * 3, 3 * len(KNOWN))

    def answer(item):
        number, row = item
        image, encoding = tmp_path / f"{number}.png", load_encoding(row.encoding)
        render(demo / f"{row.scan}.bin", image, encoding)
        return describe_image(image, encoding, row.scan)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, enumerate(rows))) == rows


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: f"{row.encoding}-{row.scan}")
def test_by_other_tools(demo, tmp_path, row):
    """The digests are those of what OpenCV decodes."""
    render(demo / f"{row.scan}.bin", tmp_path / "a.png", load_encoding(row.encoding))
    pixels = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == row.pixels_sha256
