"""`snakemake benchmark` and `snakemake benchmark_scale` in an empty folder."""

import csv
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from birdview.reference import LOOPS


def rows_of(path):
    """Read a table with tabs."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_benchmark_measures_charts_and_describes(project, make_scan):
    """Tables, a chart of each, and one page with both; and only once."""
    for number in range(2):
        make_scan(project.folder / "scans" / f"{number}.bin", 2000, seed=number)
    project.run("benchmark", "--config", "scans=scans")
    folder = project.folder / "results" / "benchmark"
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
    assert not re.search(r'(src|href)="(?!#)', page), "the page needs something else"
    for row in tables["readers"]:
        assert f"<td>{row['ms']}</td>" in page
    assert "Nothing to be done" in project.run("benchmark", "--config", "scans=scans")


def test_scale_grows_and_cleans_up(project, make_scan):
    """The pool, the workflow and nothing to do, at each size."""
    scan = make_scan(project.folder / "0.bin", 2000)
    folder = project.folder / "tables"
    folder.mkdir()
    subprocess.run(
        [
            *(sys.executable, "-m", "birdview.scale", "--cores", "2"),
            *("--snakefile", project.source / "Snakefile", "--folder", folder),
            *("--sizes", "3", "40", "--", scan),
        ],
        cwd=project.source / "workflow" / "scripts",
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
    assert memory[-1]["scans"] == "5000"


def test_failure_is_named(project, make_scan):
    """A scan that cannot be read, before anything is measured."""
    make_scan(project.folder / "scans" / "0.bin").write_bytes(bytes(33))
    output = project.run("benchmark", "--config", "scans=scans", expect=1)
    output = " ".join(output.split())
    assert "birdview.benchmark failed, and last said:" in output
    assert "33 bytes found" in output
    assert not (project.folder / "results" / "benchmark" / "readers.tsv").exists()
