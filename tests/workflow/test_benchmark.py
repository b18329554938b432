"""Run `snakemake benchmark` and the measurement of growth in an empty folder."""

import csv
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from birdview.benchmark.reference import LOOPS

BENCHMARK = "workflow/scripts/birdview/benchmark"


def rows_of(path):
    """Read a tab-separated table."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture
def quick(project):
    """Measure each thing as seldom and as briefly as the benchmark can."""
    for name, old, new in (
        ("steps", "ROUNDS = 3", "ROUNDS = 1"),
        ("steps", "MIN_SECONDS = 0.1", "MIN_SECONDS = 0.001"),
        ("steps", "RUN_SECONDS = 1.5", "RUN_SECONDS = 0.01"),
        ("growth", "RENDERED = 5000", "RENDERED = 200"),
        ("machine", "RUNS = 3", "RUNS = 1"),
    ):
        project.edit(f"{BENCHMARK}/{name}.py", old, new)
    return project


# Processes that share what they import: otherwise each of 38 takes a second to start.
# Those of the test of growth start as they do for users.
START = '    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))'
SHARE_IMPORTS = """\
    context = get_context("forkserver")
    context.set_forkserver_preload(["birdview.benchmark.variants"])
    return ProcessPoolExecutor(processes, mp_context=context)\
"""


def test_benchmark_writes_tables_charts_and_a_page(quick, make_scan):
    """The page shows all tables and charts; a second run has nothing to do."""
    quick.edit(f"{BENCHMARK}/steps.py", START, SHARE_IMPORTS)
    for number in range(2):
        make_scan(quick.folder / "scans" / f"{number}.bin", 2000, seed=number)
    quick.run("benchmark", "--config", "scans=scans")
    folder = quick.folder / "results" / "benchmark"
    tables = {path.stem: rows_of(path) for path in folder.glob("*.tsv")}
    names = {"readers", "rasterisers", "encoders", "renderers"}
    names |= {"encodings", "parallel", "starts"}
    assert set(tables) == names | {"machine"}
    assert {path.stem for path in folder.glob("*.svg")} == names
    assert not list(folder.glob("benchmark-*")), "the work folder is left"

    assert [row["variant"] for row in tables["encodings"]] == list(LOOPS)
    (floor,) = (
        row
        for row in tables["renderers"]
        if (row["encoding"], row["variant"]) == ("mv3d", "floor")
    )
    assert float(floor["times_floor"]) == 1
    for name in names - {"parallel", "starts"}:
        for row in tables[name]:
            assert 0 < float(row["ms_low"]) <= float(row["ms"]) <= float(row["ms_high"])
            assert float(row["peak_mib"]) > 10
    assert [row["variant"] for row in tables["parallel"]] == [
        "notebook's loop, 1 process",
        "notebook's loop, pool",
        "NumPy + OpenCV, pool",
        "birdview, pool",
        "birdview's workflow",
    ]

    page = (folder / "summary.html").read_text()
    for name in names:
        picture = (folder / f"{name}.svg").read_text()
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert picture[picture.index("<svg") :] in page
    assert not re.search(r'(src|href)="(?!#)', page), "the page needs other files"
    for row in tables["readers"]:
        assert f"<td>{row['ms']}</td>" in page
    assert "Nothing to be done" in quick.run("benchmark", "--config", "scans=scans")


def test_growth_measures_each_size_and_cleans_up(quick, make_scan):
    """It times the pool, the workflow, and the workflow with nothing to do."""
    scan = make_scan(quick.folder / "0.bin", 2000)
    folder = quick.folder / "tables"
    folder.mkdir()
    subprocess.run(
        [
            *(sys.executable, "-m", "birdview.benchmark.growth", "--cores", "2"),
            *("--snakefile", quick.source / "Snakefile", "--folder", folder),
            *("--sizes", "3", "40", "--", scan),
        ],
        cwd=quick.source / "workflow" / "scripts",
        check=True,
    )
    assert {path.name for path in folder.iterdir()} == {"scale.tsv", "memory.tsv"}
    rows = rows_of(folder / "scale.tsv")
    assert [row["scans"] for row in rows] == ["3", "40"]
    for row in rows:
        own = float(row["workflow_ms_per_scan"]) - float(row["pool_ms_per_scan"])
        assert float(row["own_ms_per_scan"]) == pytest.approx(own, rel=0.01)
        assert float(row["nothing_to_do_peak_mib"]) > 10
    memory = rows_of(folder / "memory.tsv")
    assert memory[-1]["scans"] == "200"


def test_an_invalid_scan_stops_the_benchmark(project, make_scan):
    """The error is shown before anything is measured."""
    make_scan(project.folder / "scans" / "0.bin").write_bytes(bytes(33))
    output = project.run("benchmark", "--config", "scans=scans", expect=1)
    output = " ".join(output.split())
    assert "birdview.benchmark.steps failed, and last said:" in output
    assert "33 bytes found" in output
    assert not (project.folder / "results" / "benchmark" / "readers.tsv").exists()
