"""README, CONTRIBUTING and docs/ say what is true of the code."""

import ast
import difflib
import importlib
import inspect
import re
import runpy

import numpy as np
import pytest
import yaml
from commands import PAGES
from helpers import ROOT, run_alone

import birdview
from birdview.checks.plausibility import CHECKS
from birdview.paths import CLASSES, LAYOUTS, PACKAGE
from birdview.pixels.classes import load_classes
from birdview.pixels.encoding import load_encoding
from birdview.pixels.field import parse_field
from birdview.pixels.layout import load_layout
from birdview.pixels.png import read_text
from birdview.run import RESERVED_NAMES

README, ARCHITECTURE = PAGES["README.md"], PAGES["docs/architecture.md"]
FIELDS = re.findall(r"`(-?\w+: u?(?:int|float)\d+\S*)`", PAGES["docs/layouts.md"])
CONFIG = (ROOT / "config.yaml").read_text(encoding="utf-8")
PROGRAMS = {
    f"{name}, program {number}": program
    for name, text in PAGES.items()
    for number, program in enumerate(
        [
            *re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL),
            *re.findall(r'python -c "(.*?)"$', text, flags=re.MULTILINE),
        ],
        start=1,
    )
}
FILES = {
    "label_2/000001.txt": "Car 0 0 0 0 0 0 0 1.5 2 4 -3 1.7 10 -1.57\n",
    "calib/000001.txt": (
        "R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
    ),
}
RENDER_DEMO = """
from pathlib import Path
import birdview
from birdview import demo, jobs, metadata
from birdview.run import resolve

Path("results/demo").mkdir(parents=True)
demo.write_scan("000001.bin", 1, seed=0)
for number in range(2):
    demo.write_scan(f"results/demo/00000{number}.bin", number, seed=0)
layout = birdview.load_layout("kitti")
for name in ("mv3d", "notebook"):
    encoding = birdview.load_encoding(name)
    Path("results", name, "demo").mkdir(parents=True)
    for number in range(2):
        scan = f"demo/00000{number}"
        image = f"results/{name}/{scan}.png"
        birdview.render(f"results/{scan}.bin", image, encoding)
    metadata.write_grid(encoding, layout, f"results/{name}/demo/grid.json")
Path("results/demo/statistics").mkdir()
run = resolve({"encodings": ["mv3d"], "demo": {"scans": 2}})
jobs.write_statistics(run, "mv3d", "results/demo/statistics/mv3d.json", 1)
for kind, number in (("label_2", 1), ("calib", 1), ("label_2", 0), ("calib", 0)):
    file = Path("labels", kind, "demo", f"00000{number}.txt")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(Path(kind, "000001.txt").read_text())
splits = {"splits": {"train": 1}, "min_points": 0}
settings = {"encodings": ["mv3d"], "demo": {"scans": 2}, "labels": "labels"}
run = resolve({**settings, "dataset": splits})
jobs.write_dataset(run, "mv3d", "results/dataset/mv3d/boxes.json", 1)
"""
LISTING = re.compile(
    r"^File: birdview/(\S+)\.py\nFunction: (\S+) at line \d+\n\n(.*?)(?=^Total|^```)",
    flags=re.MULTILINE | re.DOTALL,
)


def test_generated_blocks_are_up_to_date():
    """`python docs/generate.py` changes nothing."""
    update = runpy.run_path(str(ROOT / "docs" / "generate.py"))["update"]
    diff = [
        line
        for name, text in PAGES.items()
        for line in difflib.unified_diff(
            text.split("\n"), update(text).split("\n"), name, "generated", lineterm=""
        )
    ]
    assert not diff, "run python docs/generate.py:\n" + "\n".join(diff)


def source_of(module, qualname):
    """Return the lines of a function, compiled by Numba or not."""
    function = importlib.import_module(f"birdview.{module.replace('/', '.')}")
    for name in qualname.split("."):
        function = getattr(function, name)
    lines, _ = inspect.getsourcelines(getattr(function, "py_func", function))
    return [line.rstrip() for line in lines]


def test_warnings_are_those_of_the_code():
    """The page has a row for each kind, and `layout`, which is found otherwise."""
    rows = re.findall(r"^\| `(\w+)` \|", PAGES["docs/warnings.md"], re.MULTILINE)
    assert set(rows) == {"layout", *(check.kind for check in CHECKS)}


def test_listings_show_the_current_code():
    """Each function of a profiler listing exists, with these lines."""
    listings = LISTING.findall(PAGES["docs/speed.md"])
    assert len(listings) == 6
    for module, qualname, listing in listings:
        header, _, *lines = listing.rstrip().split("\n")
        column = header.index("Line Contents")
        source = source_of(module, qualname)
        outdated = [line for line in lines if line[column:] not in source]
        assert not outdated, "run python docs/generate.py --scan 000001.bin"
        assert lines


@pytest.fixture(scope="module")
def folder(installed, tmp_path_factory):
    """Return the folder that the programs work in: the demo is rendered there."""
    folder = tmp_path_factory.mktemp("folder")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    run_alone(installed, RENDER_DEMO, folder=folder)
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_run(installed, folder, name):
    """The Python programs on the pages, and they print what their comments say.

    The package is installed, not found in the clone.
    """
    output = run_alone(installed, PROGRAMS[name], folder=folder).splitlines()
    # Of a call on one line, or on several.
    claim = r"^ *(?:print\(.*)?\)  # (.*)$"
    expected = re.findall(claim, PROGRAMS[name], flags=re.MULTILINE)
    assert [line for line in output if line in expected] == expected


def slugs(text):
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    """To files of the project, and to headings in them."""
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.is_file(), link
        assert not anchor or anchor in slugs(file.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", PAGES)
def test_tables_are_complete(name):
    """Each has a header, and as many cells in each row."""
    tables = re.findall(r"(?:^\|.*\n)+", PAGES[name], flags=re.MULTILINE)
    for table in tables:
        rows = [re.sub(r"`[^`]*`", "", row).count("|") for row in table.splitlines()]
        assert set(table.splitlines()[1]) <= set("|- "), table
        assert len(set(rows)) == 1, table


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_of_the_project_exist(name):
    """Those that the pages for engineers name, from the project or the package."""
    text = re.sub(r"```.*?```", "", PAGES[name], flags=re.DOTALL)
    files = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|smk|yaml|tsv|txt|md|in))`", text)
    folders = ROOT, PACKAGE, ROOT / "workflow" / "rules"
    assert len(files) > 5
    for file in set(files) - {
        "workflow/classes/NAME.yaml",
        "workflow/encodings/NAME.yaml",
        "workflow/layouts/NAME.yaml",
        "workflow/rules/NAME.smk",
    }:
        assert any((folder / file).is_file() for folder in folders), file


def test_rooms_are_those_of_the_package():
    """Each module outside of the folders, and each folder, is in the table of rooms."""
    table = ARCHITECTURE.partition("## Rooms")[2].partition("Two more rules")[0]
    names = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in PACKAGE.iterdir()
        if path.name[0] != "_" and (path.is_dir() or path.suffix == ".py")
    }
    assert names <= set(re.findall(r"`([^`]+)`", table))


def test_named_tests_exist():
    """The example of running one test is a test."""
    ((file, name),) = re.findall(r"pytest (\S+)::(\w+)", PAGES["CONTRIBUTING.md"])
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {getattr(node, "name", "") for node in module.body}


def test_every_dependency_has_its_reason():
    """In the tables of docs/architecture.md."""
    names = {
        re.split("[<=[]", line)[0]
        for path in (ROOT / "envs").glob("*.in")
        for line in path.read_text().splitlines()
        if line and line[0] not in "#-"
    }
    rows = re.findall(r"^\| ([\w, -]+) \| .* \|$", ARCHITECTURE, flags=re.MULTILINE)
    assert names <= {name for row in rows for name in row.split(", ")}


def test_every_encoding_is_documented():
    """The table has the size and all planes of each, and config.yaml names it."""
    page = PAGES["docs/encodings.md"]
    for path in (ROOT / "workflow" / "encodings").glob("*.yaml"):
        encoding = load_encoding(path)
        (row, col), name = encoding.grid.shape, encoding.name
        pattern = rf"^\| `{name}` \| {row} x {col} \| (.*?) \|"
        planes = re.search(pattern, page, flags=re.MULTILINE)
        assert planes, f"no row for {name}, {row} x {col}"
        channels = [channel.name for channel in encoding.channels]
        shown = re.findall(r"`(\w+)`", planes[1])
        assert set(shown) <= set(channels)
        assert {re.sub(r"_\d+$", "", channel) for channel in channels} == {
            re.sub(r"_\d+$", "", channel) for channel in shown
        }
        assert re.search(rf"^#   (\w+, )*{name}\b", CONFIG, flags=re.MULTILINE), name


@pytest.mark.parametrize(
    "file", sorted(LAYOUTS.glob("*.yaml")), ids=lambda file: file.stem
)
def test_every_layout_is_documented(file):
    """It says where its numbers come from; docs/layouts.md has it in its table."""
    settings = yaml.safe_load(file.read_text())
    assert len(settings["source"]) > 20
    page = (ROOT / "docs" / "layouts.md").read_text()
    assert f"| [`{file.stem}`](../workflow/layouts/{file.name}) |" in page


@pytest.mark.parametrize(
    "file", sorted(CLASSES.glob("*.yaml")), ids=lambda file: file.stem
)
def test_every_table_of_classes_says_its_source(file):
    """Where its labels and colours come from."""
    assert len(yaml.safe_load(file.read_text())["source"]) > 20


def test_readme_counts_the_layouts():
    """The built-in ones."""
    assert f"{len(list(LAYOUTS.glob('*.yaml')))} built-in layouts" in README


def test_own_classes_are_valid(tmp_path):
    """Those of docs/point_labels.md, word for word."""
    page = PAGES["docs/point_labels.md"]
    path = tmp_path / "classes.yaml"
    path.write_text(re.search(r"# my/classes.yaml\n(.*?)```", page, flags=re.DOTALL)[1])
    classes = load_classes(path)
    assert classes.names == ("vehicle", "ground", "else")
    assert classes.labels == load_classes("semantickitti").labels


def yaml_of(page):
    """Return the yaml blocks of a page."""
    blocks = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    return [yaml.safe_load(block) for block in blocks]


def test_own_layout_is_rendered(project):
    """That of docs/layouts.md, word for word."""
    page = PAGES["docs/layouts.md"]
    text = re.search(r"```yaml\n(# my/van\.yaml.*?)```", page, flags=re.DOTALL)[1]
    (project.folder / "my").mkdir()
    (project.folder / "my" / "van.yaml").write_text(text)
    kinds = [("xyz", "<f4", 3), ("intensity", "u1"), ("tag", "u1"), ("_", "<u2")]
    points = np.array(
        [((20, 5, -2), 51, 0, 9), ((20, -5, -2), 51, 2, 9), ((0, 0, 0), 0, 0, 0)],
        dtype=kinds,
    )
    (project.folder / "scans").mkdir()
    points.tofile(project.folder / "scans" / "0.bin")
    project.run("--config", "scans=scans", "layout=my/van.yaml", "encodings=[mv3d]")
    image = project.folder / "results" / "mv3d" / "0.png"
    text = read_text(image)
    keys = "read", "no_return", "dropped", "drawn"
    assert [text[f"birdview:{key}"] for key in keys] == ["3", "1", "1", "1"]
    planes, _ = birdview.load(image)
    _, intensity, height = planes[:, 599, 749]
    # 0.2, and -2 + 2.1 - 1.73 = -1.63 m, of -2.73 to 1.27 m
    assert (intensity, height) == (51, round(255 * 1.1 / 4))


def test_layouts_of_the_page_are_valid(tmp_path):
    """Complete ones, and parts of one."""
    blocks = [one for one in yaml_of(PAGES["docs/layouts.md"]) if "scans" not in one]
    fields = [{name: "float32"} for name in ("x", "y", "z", "i", "tag", "ring")]
    fields[3] = {"intensity": "uint8/255"}
    whole = {"description": "A sensor.", "fields": fields}
    assert len(blocks) > 8
    for block in blocks:
        if "layout" in block:
            assert load_layout(block["layout"]).record.itemsize == 13
            continue
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(whole | block))
        layout = load_layout(path)
        if "skip" in block:
            assert layout.record.itemsize == 32


@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_the_page_are_valid(field):
    """Those of its tables."""
    name, _, kind = field.partition(": ")
    assert str(parse_field(name, kind)).replace(" ", ": ") == field


def test_settings_page_and_snakefile_have_every_target():
    """A rule without output is a target; so is the manifest."""
    text = "".join(
        path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    )
    rules = re.findall(
        r"^(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", text, flags=re.M | re.DOTALL
    )
    targets = {name for name, body in rules if "    output:" not in body} | {"manifest"}
    targets -= {"parts"}  # which only says what replaced it
    comment = " ".join(
        re.findall(r"^# (.*)$", (ROOT / "workflow" / "Snakefile").read_text(), re.M)
    )
    assert set(re.search(r"Other targets: ([^.]*)", comment)[1].split(", ")) == targets
    for target in targets:
        assert f"| `snakemake {target}" in PAGES["docs/settings.md"], target


def test_folders_in_results_are_no_names_of_encodings():
    """Each folder of a rule's outputs is reserved."""
    rules = (ROOT / "workflow" / "rules").glob("*.smk")
    text = "".join(path.read_text() for path in rules)
    folders = set(re.findall(r'"<(?:results|run)>/(\w+)["/]', text))
    assert "contact_sheet" in folders
    assert folders <= set(RESERVED_NAMES)


def test_citation_has_the_version():
    """CITATION.cff."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    version = citation["version"], citation["date-released"]
    assert version == (birdview.__version__, birdview.__date__)


def test_ci_runs_on_the_promised_versions_of_python():
    """Those of README."""
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    promised = re.search(r"You need Python (.*?), on Linux", README)[1]
    matrix = ci["jobs"]["everything"]["strategy"]["matrix"]
    assert matrix["python"] == re.findall(r"3\.\d+", promised)
