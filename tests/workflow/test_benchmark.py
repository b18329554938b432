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
        ("steps", "WORKFLOW_SCANS = 1000", "WORKFLOW_SCANS = 4"),
        ("formats", "for one in FORMATS if", "for one in FORMATS[:4] if"),
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
    context.set_forkserver_preload(["birdview.benchmark.formats"])
    return ProcessPoolExecutor(processes, mp_context=context)\
"""


def test_benchmark_writes_tables_charts_and_a_page(quick, make_scan):
    """The page shows all tables and charts; a second run has nothing to do."""
    quick.edit(f"{BENCHMARK}/steps.py", START, SHARE_IMPORTS)
    # What `starts` compares is then nothing but imports: compiling takes 25 s, twice.
    quick.edit(f"{BENCHMARK}/steps.py", '= f"{imports}; r.render(', '= f"{imports}; (')
    for number in range(2):
        make_scan(quick.folder / "scans" / f"{number}.bin", 2000, seed=number)
    quick.run("benchmark", "--config", "scans=scans")
    folder = quick.folder / "results" / "benchmark"
    tables = {path.stem: rows_of(path) for path in folder.glob("*.tsv")}
    names = {"readers", "rasterisers", "encoders", "renderers"}
    names |= {"encodings", "together", "formats", "parallel", "workflow", "starts"}
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
    for name in names - {"parallel", "workflow", "starts"}:
        for row in tables[name]:
            assert 0 < float(row["ms_low"]) <= float(row["ms"]) <= float(row["ms_high"])
            assert float(row["peak_mib"]) > 10
    assert [(row["encoding"], row["variant"]) for row in tables["parallel"]] == [
        ("notebook", "notebook's loop, 1 process"),
        ("notebook", "notebook's loop, pool"),
        ("notebook", "NumPy + OpenCV, pool"),
        ("notebook", "birdview, pool"),
        ("complex_yolo", "SFA3D's algorithm, pool"),
        ("complex_yolo", "birdview, pool"),
        ("notebook", "workflow, one job per image"),
        ("notebook", "workflow, 500 scans per job"),
    ]
    for row in tables["workflow"]:
        assert float(row["cpu_s"]) > 0.1
        if row["run"] == "nothing to do":
            whole = 1000 * float(row["cpu_s"]) / int(row["scans"])
            assert float(row["own_cpu_ms_per_scan"]) == pytest.approx(whole, rel=0.01)

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
    """It times the pool, and three runs of both variants of the workflow."""
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
        for name in ("by_image", "by_500"):
            times = float(row[f"{name}_ms_per_scan"]) / float(row["pool_ms_per_scan"])
            assert float(row[f"{name}_times_pool"]) == pytest.approx(times, rel=0.01)
            assert float(row[f"{name}_own_cpu_ms_per_scan"]) > 0
            assert float(row[f"{name}_nothing_to_do_peak_mib"]) > 10
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
