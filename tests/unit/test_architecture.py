"""Check the rooms of the package: what each may import, and what stays out of each.

docs/architecture.md explains the rooms.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from birdview import paths
from birdview.provenance import imported_modules

LEVELS = [
    ["files", "counts", "provenance", "paths"],
    ["pixels", "street"],
    [
        "assembling",
        "assemblies",
        "cameras",
        "command",
        "image",
        "metadata",
        "patterns",
        "records",
        "scans",
        "search",
        "settings",
        "splits",
        "sources",
        "stores",
        "suffixes",
        "tracks",
        "bucket",
        "demo",
        "fit",
        "inflate",
        "workers",
    ],
    ["reproduce"],
    ["checks"],
    ["training"],
    ["view"],
    ["inspect"],
    ["unpack"],
    ["benchmark"],
    ["run"],
    ["dataset", "kitti_results", "targets"],
    ["batches", "forecast", "progress"],
    ["jobs"],
]
"""The rooms from the bottom up: a module imports from its own level and from below."""

LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
FILES = {
    ".".join(file.relative_to(paths.PACKAGE).with_suffix("").parts): file
    for file in paths.PACKAGE.rglob("*.py")
    if file.name != "__init__.py"
}
IMPORTS = {
    name: {found.removeprefix("birdview.") for found in imported_modules(file)}
    for name, file in FILES.items()
}


def room_of(module):
    return module.partition(".")[0]


def test_every_module_is_in_a_room():
    """A new module or folder has to be placed in `LEVELS`."""
    assert {room_of(name) for name in FILES} == set(LEVEL_OF)


def test_imports_are_found_as_python_finds_them():
    """provenance.py looks for import statements without parsing the source."""
    for file in FILES.values():
        found = set()
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: a relative import is not found"
                found |= {node.module}
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        modules = {f"birdview.{name}" for name in FILES}
        assert set(imported_modules(file)) == found & modules, file


def test_folders_hold_no_code_of_their_own():
    """Digests of modules leave the `__init__.py` of their folders out."""
    for file in paths.PACKAGE.rglob("__init__.py"):
        if file.parent != paths.PACKAGE:
            body = ast.parse(file.read_bytes()).body
            assert [type(node) for node in body] == [ast.Expr], file


def test_pixels_imports_only_what_is_below_it():
    """So an edit elsewhere cannot change a pixel, and makes no image stale."""
    imported = set().union(*(IMPORTS[name] for name in FILES if "pixels." in name))
    allowed = {"pixels", "files", "counts", "provenance", "paths"}
    assert {room_of(name) for name in imported} <= allowed


@pytest.mark.parametrize("name", FILES)
def test_no_import_runs_upwards(name):
    """Each room uses itself and the rooms below."""
    level = LEVEL_OF[room_of(name)]
    assert {other for other in IMPORTS[name] if LEVEL_OF[room_of(other)] > level} == (
        set()
    )


def test_no_import_runs_in_a_circle():
    """Modules can be read in an order in which each only uses those before it."""
    waiting = {name: set(imported) for name, imported in IMPORTS.items()}
    while free := [name for name, imported in waiting.items() if not imported]:
        for name in free:
            del waiting[name]
        for imported in waiting.values():
            imported.difference_update(free)
    assert waiting == {}


def run_python(code, *arguments):
    """Run code in a process of its own, which finds the package."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(paths.PACKAGE.parent)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "module",
    [
        *("birdview", "birdview.metadata", "birdview.image", "birdview.run"),
        *("birdview.pixels.encoding", "birdview.pixels.layout", "birdview.pixels.scan"),
        *("birdview.jobs", "birdview.reproduce.manifest", "birdview.reproduce.verify"),
        *("birdview.reproduce.bundle", "birdview.view.boxes", "birdview.view.gallery"),
        *("birdview.view.contact_sheet", "birdview.view.movie"),
        "birdview.training.divide",
    ],
)
def test_only_what_draws_imports_numba(module):
    """Compiling and its libraries cost seconds and 200 MB."""
    done = run_python(f"import sys, {module}; sys.exit('numba' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_images_load_without_compiler_and_opencv(tmp_path, make_scan):
    """A training environment needs NumPy alone for `birdview.load`."""
    from birdview import load_encoding, render

    image = tmp_path / "a.png"
    render(make_scan(tmp_path / "a.bin"), image, load_encoding("lyft"))
    absent = ("numba", "cv2", "yaml", "jsonschema", "matplotlib", "snakemake")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        f"import birdview; print(birdview.load(sys.argv[1]).planes.shape)"
    )
    done = run_python(code, image)
    assert done.stdout == "(3, 336, 336)\n", done.stderr


@pytest.mark.parametrize("name", ["Raster", "Renderer", "render"])
@pytest.mark.parametrize(
    "statement", ["import birdview; birdview.{}", "from birdview import {}"]
)
def test_drawing_without_compiler_is_one_clear_line(name, statement):
    """It says what is missing, and which command installs it."""
    done = run_python(
        f"import sys; sys.modules['numba'] = None; {statement.format(name)}"
    )
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: birdview.{name} needs numba, which is not installed: "
        f"pip install 'birdview[render]'"
    )


def test_missing_library_of_all_users_is_named():
    """Someone has installed the package without its dependencies."""
    done = run_python(
        "import sys; sys.modules['yaml'] = None\n"
        "import birdview; birdview.load_encoding('mv3d')"
    )
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: birdview.load_encoding needs yaml, which is not "
        "installed: pip install 'birdview'"
    )


def test_package_imports_nothing_at_once():
    """Each module is loaded by those that need it."""
    code = "import sys, birdview; print([m for m in sys.modules if 'birdview' in m])"
    assert run_python(code).stdout == "['birdview']\n"


def test_public_names_are_there():
    """Each of `birdview.__all__`, loaded when it is first asked for."""
    code = (
        "import birdview; assert set(birdview.__all__) < set(dir(birdview))\n"
        "print(*(getattr(birdview, name) for name in birdview.__all__))"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    done = run_python("import birdview; birdview.nothing")
    assert "module 'birdview' has no attribute 'nothing'" in done.stderr


def test_paths_exist():
    """All that ships beside the package."""
    found = [value for value in vars(paths).values() if isinstance(value, Path)]
    assert len(found) >= 8
    assert all(path.exists() for path in found)
