"""Rewrite the generated blocks of docs/.

    python docs/generate.py                    # the blocks that follow from the code
    python docs/generate.py --scan 000001.bin  # also what programs print for a scan

A block starts with ``<!-- generated: NAME -->`` and ends with ``<!-- end -->``. NAME is
one of `TABLES`, or ``output``: what the Python program above the block prints. Programs
need envs/dev.txt, and call the scan 000001.bin. `--scan` without a path simulates one.
"""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
PAGES = sorted((ROOT / "docs").glob("*.md"))

sys.path.insert(0, str(SCRIPTS))

from birdview import paths  # noqa: E402
from birdview.demo import write_scan  # noqa: E402
from birdview.pixels.classes import load_classes  # noqa: E402
from birdview.pixels.frame import HEIGHT  # noqa: E402
from birdview.pixels.layout import Layout, load_layout  # noqa: E402
from birdview.pixels.schema import load_schema  # noqa: E402
from birdview.pixels.statistic import STATISTICS  # noqa: E402

BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)
PAGE_OF_SETTING = {
    "scans": "scans.md",
    "match": "scans.md#which-files",
    "split": "scans.md#splits",
    "layout": "layouts.md",
    "frame": "layouts.md#frames",
    "strict": "warnings.md",
    "labels": "labels.md",
    "camera_view": "training.md#what-the-camera-sees",
    "sweeps": "sweeps.md",
    "level": "sweeps.md#level-scans",
    "sensors": "sweeps.md#several-sensors",
    "point_labels": "point_labels.md",
    "bag": "layouts.md#bags",
    "compare_with": "reproduce.md#verify",
    "bundle": "reproduce.md#the-bundle",
    "encodings": "encodings.md",
    "scans_per_job": "cluster.md",
    "dataset": "training.md",
    "predictions": "training.md#predictions",
    "frame_rate": "pictures.md",
}
"""Where the settings page sends those who want to know more than the schema says."""
PROGRAM = re.compile(r"```python\n(.*?)```", flags=re.DOTALL)


def table_of_statistics() -> str:
    """Return the statistics of encodings."""
    lines = [
        "| statistic | of the points of a cell or slice | `of` | unit | scale | "
        "former name |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for entry in STATISTICS.values():
        keys = ["range: slice" if key == "slice" else key for key in entry.scales]
        cells = [
            f"`{entry.name}`",
            entry.meaning,
            entry.field,
            entry.unit or "the field's",
            ", ".join(f"`{key}`" for key in keys) or "none",
            f"`{entry.former_name}`" if entry.former_name else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_modules() -> str:
    """Return the modules of the package, each with the first line of its docstring."""
    package = SCRIPTS / "birdview"
    folders = [package, *sorted(path for path in package.iterdir() if path.is_dir())]
    lines = ["| module | what it does |", "| --- | --- |"]
    for file in (file for folder in folders for file in sorted(folder.glob("*.py"))):
        module = ast.parse(file.read_text(encoding="utf-8"))
        docstring = ast.get_docstring(module) or ""
        sentence = " ".join(docstring.split("\n\n")[0].split())
        name = file.relative_to(package).as_posix()
        lines.append(f"| `{name}` | {sentence} |")
    return "\n".join(lines)


def table_of_layouts() -> str:
    """Return the built-in layouts, with what each does to the numbers of a file."""
    lines = [
        "| layout | what it is | record | how it is read |",
        "| --- | --- | --- | --- |",
    ]
    for file in sorted(paths.LAYOUTS.glob("*.yaml")):
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        # The last cell says as well that a height is not known.
        meaning = re.sub(r" Set\s`frame: .*?\.(?= |$)", "", settings["description"])
        layout = load_layout(file)
        cells = [
            f"[`{file.stem}`](../workflow/layouts/{file.name})",
            meaning,
            describe_record(layout),
            describe_conversion(layout, settings),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def describe_record(layout: Layout) -> str:
    """Return the types of a record, such as ``3 x float32, uint8``; or the columns."""
    if not layout.is_records:
        columns = ", ".join(f"`{field.column}`" for field in layout.fields)
        return f"{columns}, in `{layout.suffix}`"
    types = [field.type for field in layout.fields]
    runs = [(kind, len(list(run))) for kind, run in groupby(types)]
    text = ", ".join(f"{count} x {kind}" if count > 1 else kind for kind, count in runs)
    text += ", field after field" if layout.order == "fields" else ""
    return f"{text}, in `{layout.suffix}`" if layout.suffix != ".bin" else text


def describe_conversion(layout: Layout, settings: dict[str, Any]) -> str:
    """Return axes, height, intensity and choice of a layout."""
    towards = {"x": ("forward", "back"), "y": ("left", "right"), "z": ("up", "down")}
    axes = [towards[field.name][field.sign < 0] for field in layout.fields[:3]]
    height = f"{settings.get('frame', {}).get('height', HEIGHT):g} m"
    if "Set `frame" in settings["description"]:
        height = "not known: set `frame`"
    *_, intensity = layout.columns
    assert intensity is not None
    field = layout.fields[intensity]
    field = field._replace(column="")
    scale = str(field).removeprefix(f"{field.label} {field.type}")
    words = [
        f"axes: {', '.join(axes)}",
        f"height: {height}",
        f"intensity: {f'`{scale}`' if scale else 'as it is'}",
    ]
    words[-1] += ", clipped" if layout.clip else ""
    for key in ("min_range", "keep", "drop", "without", "duplicates"):
        if key in settings:
            words.append(f"`{key}: {json.dumps(settings[key])}`".replace('"', ""))
    return "; ".join(words)


def table_of_classes() -> str:
    """Return the built-in tables of classes, with the names in the order of numbers."""
    lines = ["| table | what it is | classes, from 0 |", "| --- | --- | --- |"]
    for file in sorted(paths.CLASSES.glob("*.yaml")):
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        cells = [
            f"[`{file.stem}`](../workflow/classes/{file.name})",
            settings["description"],
            ", ".join(load_classes(file).names),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_settings() -> str:
    """Return the settings of a run, and the keys of those that are mappings."""
    rules = load_schema("config")["properties"]
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, rule in rules.items():
        key = f"`{name}`"
        if name in PAGE_OF_SETTING:
            key = f"[{key}]({PAGE_OF_SETTING[name]})"
        default = _as_yaml(rule["default"])
        if "description" in rule:
            lines.append(f"| {key} | {default} | {_meaning_of(rule)} |")
        # Of a mapping, of one that may be a path too, or of a list of mappings.
        for mapping in (rule, rule.get("then", {}), rule.get("items", {})):
            for inner, details in mapping.get("properties", {}).items():
                default = "none"
                if inner in mapping.get("required", ()):
                    default = "required"
                elif "default" in details:
                    default = _as_yaml(details["default"])
                meaning = _meaning_of(details)
                lines.append(f"| `{name}: {inner}` | {default} | {meaning} |")
    return "\n".join(lines)


def _as_yaml(value: Any) -> str:
    """Return a value as it is written in yaml."""
    return f"`{json.dumps(value)}`".replace('"', "")


def _meaning_of(rule: dict[str, Any]) -> str:
    """Return the description of a key, with the values that it may have."""
    if "enum" not in rule:
        return str(rule["description"])
    return f"{rule['description']} {' or '.join(map(_as_yaml, rule['enum']))}."


def table_of_layout_keys() -> str:
    """Return the keys of a layout."""
    return table_of_keys("layout")


def table_of_frame_keys() -> str:
    """Return the keys of a frame."""
    return table_of_keys("frame")


def table_of_class_keys() -> str:
    """Return the keys of a table of classes."""
    return table_of_keys("classes")


def table_of_keys(schema: str) -> str:
    """Return the keys of a schema, with their defaults and descriptions."""
    rules = load_schema(schema)
    lines = ["| key | default | meaning |", "| --- | --- | --- |"]
    for name, rule in rules["properties"].items():
        default = _as_yaml(rule.get("default"))
        if name in rules.get("required", ()):
            default = "required"
        elif rule.get("default") is None:
            default = "none"
        lines.append(f"| `{name}` | {default} | {_meaning_of(rule)} |")
    return "\n".join(lines)


TABLES = {
    "statistics": table_of_statistics,
    "settings": table_of_settings,
    "modules": table_of_modules,
    "layouts": table_of_layouts,
    "classes": table_of_classes,
    "layout_keys": table_of_layout_keys,
    "frame_keys": table_of_frame_keys,
    "class_keys": table_of_class_keys,
}


def update(page: str, scan: Path | None = None) -> str:
    """Return the text of a page with up-to-date blocks.

    Parameters
    ----------
    page : str
    scan : Path, optional
        The scan of the programs. Their output stays as it is without one.
    """

    def rewrite(match: re.Match[str]) -> str:
        head, name, end = match.groups()
        if name in TABLES:
            return f"{head}\n{TABLES[name]()}\n\n{end}"
        if scan is None:
            return match[0]
        *_, program = PROGRAM.findall(page, 0, match.start())
        return f"{head}\n```\n{run(program, scan)}\n```\n\n{end}"

    return BLOCK.sub(rewrite, page)


def run(program: str, scan: Path) -> str:
    """Run a program in a folder with the scan 000001.bin; return what it prints."""
    with TemporaryDirectory() as folder:
        shutil.copy(scan, Path(folder, "000001.bin"))
        output = subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    return "\n".join(shorten_listings(output)).strip()


def shorten_listings(output: str) -> Iterator[str]:
    """Yield the lines of profiler listings without docstrings and absolute paths."""
    left_out: set[str] = set()
    for line in output.splitlines():
        if line.startswith("File: "):
            file = Path(line.removeprefix("File: "))
            left_out = set(map(str, lines_of_docstrings(file)))
            line = f"File: {file.relative_to(SCRIPTS).as_posix()}"
        number, *_ = line.split() or [""]
        if number not in left_out:
            yield line.rstrip()


def lines_of_docstrings(file: Path) -> Iterator[int]:
    """Yield the numbers of the lines of a module that belong to docstrings."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            docstring = node.body[0]
            yield from range(docstring.lineno, (docstring.end_lineno or 0) + 1)


def main() -> None:
    """Rewrite all pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--scan",
        type=Path,
        nargs="?",
        const=Path("demo"),
        help="run the programs on this scan; on a simulated one, if no path is given",
    )
    scan = parser.parse_args().scan
    with TemporaryDirectory() as folder:
        if scan == Path("demo"):
            scan = Path(folder, "000000.bin")
            write_scan(scan, 0, 0)
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            page.write_text(update(text, scan), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
