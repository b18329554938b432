"""Check the command line and the environment, before Snakemake does.

profiles/default/config.yaml runs this file by its path, not as a part of the package.
Snakemake answers most of these mistakes with a traceback, before it reads a rule.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import yaml

OLDEST = (3, 11)
"""The oldest Python that works."""

CONFIG = ("--config", "-C")
CONFIG_FILES = ("--configfile", "--configfiles")

ROOT = Path(__file__).parents[3]


def find_mistake(arguments: Sequence[str], root: Path = ROOT) -> str:
    """Return what is wrong with a command, in one line, or nothing.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``snakemake``.
    root : Path
        The clone.
    """
    checks = (
        _check_python(sys.version_info[:2]),
        _check_packages(root / "envs" / "requirements.in"),
        _check_config(arguments, root),
        _check_config_files(arguments),
        _check_plugins(arguments),
        _check_folder(arguments),
    )
    return next(filter(None, checks), "")


def _check_python(version: tuple[int, ...]) -> str:
    if version >= OLDEST:
        return ""
    found, oldest = (".".join(map(str, one)) for one in (version, OLDEST))
    return (
        f"Python {found} in {sys.prefix}, expected {oldest} or newer: "
        f"python{oldest} -m venv .venv"
    )


def _check_packages(names: Path) -> str:
    """Say which packages the environment lacks, by the file that names them."""
    lines = names.read_text("utf-8").splitlines() if names.is_file() else []
    found = (re.match(r"[\w-]+", line) for line in lines)
    missing = [name[0] for name in found if name and not _is_installed(name[0])]
    if not missing:
        return ""
    return (
        f"{', '.join(missing)}: not installed in {sys.prefix}, as this Snakemake is, "
        f"expected the environment of birdview: activate it (source "
        f".venv/bin/activate), or complete this one: {sys.executable} -m pip install "
        f"-r {shlex.quote(str(names.with_suffix('.txt')))}"
    )


def _is_installed(name: str) -> bool:
    try:
        # Without it, an installation was interrupted.
        return distribution(name).read_text("RECORD") is not None
    except PackageNotFoundError:
        return False


def _uses_of(options: Sequence[str], arguments: Sequence[str]) -> Iterator[list[str]]:
    """Yield what follows each use of an option, up to the next option."""
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in options:
            values = [value] if equals else []
            for other in () if equals else arguments[index + 1 :]:
                if re.match("-[^0-9]", other):
                    break
                values.append(other)
            yield values


def _values_of(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return what follows all uses of an option."""
    return [*chain(*_uses_of(options, arguments))]


def _check_config(arguments: Sequence[str], root: Path) -> str:
    used = [*_uses_of(CONFIG, arguments)]
    if len(used) > 1:
        return (
            f"--config: {len(used)} times, but only the last one counts, expected one: "
            f"--config {shlex.join(chain(*used))}"
        )
    entries = used[0] if used else []
    if "=" in arguments and "=" not in entries:
        return "=: spaces around =, expected a setting without: --config NAME=VALUE"
    for index, entry in enumerate(entries):
        if re.match(r"[a-zA-Z_][\w-]*=", entry):
            continue
        return f"--config: {entry}: {_explain_entry(entries, index, arguments)}"
    return ""


def _explain_entry(entries: Sequence[str], index: int, arguments: Sequence[str]) -> str:
    """Say how to type an entry that is not NAME=VALUE."""
    entry, before = entries[index], entries[index - 1] if index else ""
    after = entries[index + 1] if index + 1 < len(entries) else ""
    if after.startswith("=") or entry.startswith("=") or before.endswith("="):
        joined = re.sub(r" *= *", "=", " ".join(entries))
        return f"spaces around =, expected none: --config {joined}"
    if sum(map(before.count, "[{")) > sum(map(before.count, "]}")):
        start = next(n for n in range(index, -1, -1) if "=" in entries[n])
        ends = (n for n in range(index, len(entries)) if entries[n][-1:] in ("]", "}"))
        whole = " ".join(entries[start : next(ends, index) + 1])
        return f"a value with spaces, expected quotes around it: '{whole}'"
    nested = re.fullmatch(r"(\w+)\.(\w+)=(.+)", entry)
    if nested:
        setting, key, value = nested.groups()
        return f"a dot, expected keys and values: '{setting}={{{key}: {value}}}'"
    if ":" in entry and not index:
        return f"no =, expected {entry.replace(':', '=', 1)}"
    others = [one for one in arguments if one != entry]
    return (
        f"not NAME=VALUE, as --config takes everything up to the next option, expected "
        f"targets first: snakemake {shlex.join([entry, *others])}"
    )


def _check_config_files(arguments: Sequence[str]) -> str:
    for path in _values_of(CONFIG_FILES, arguments):
        if os.path.isfile(path):
            try:
                if not read_keys(path):
                    return f"{path}: no keys, expected some, such as scans: /data/kitti"
            except (OSError, ValueError) as error:
                return str(error)
        elif "=" in path:
            return (
                f"--configfile: {path}: a setting, expected it after --config: "
                f"--config {shlex.quote(path)}"
            )
        else:
            what = "a folder" if os.path.isdir(path) else "no such file"
            return (
                f"--configfile: {path}: {what} (from {os.getcwd()}), expected a yaml "
                f"file of settings; targets come before --configfile"
            )
    return ""


def _check_plugins(arguments: Sequence[str]) -> str:
    """Say which plugin an executor lacks: as an option, or by our profile."""
    executors = _values_of(("--executor", "-e"), arguments)[:1]
    profiles = _values_of(("--profile",), arguments)
    if any(Path(profile).name == "slurm" for profile in profiles):
        executors = executors or ["slurm"]
    for name in executors:
        plugin = f"snakemake_executor_plugin_{name.replace('-', '_')}"
        if name not in ("local", "dryrun", "touch") and not find_spec(plugin):
            package = plugin.replace("_", "-")
            return (
                f"{package}: not installed in {sys.prefix}, expected the environment "
                f"of envs/cluster.txt: pip install -r envs/cluster.txt"
            )
    return ""


def _check_folder(arguments: Sequence[str]) -> str:
    """Say that Snakemake cannot write where it works."""
    given = _values_of(("--directory", "-d"), arguments)
    folder = Path(given[0] if given else ".").absolute()
    if folder.exists() and not folder.is_dir():
        return f"--directory: {folder}: a file, expected a folder to work in"
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return (
            f"{folder}: not writable, expected a folder for results and .snakemake: "
            f"snakemake --directory FOLDER"
        )
    if not shutil.disk_usage(folder).free:
        return (
            f"{folder}: no space left, expected some for results and .snakemake: make "
            f"room, or work elsewhere: snakemake --directory FOLDER"
        )
    return ""


def read_keys(path: str | os.PathLike[str]) -> list[str]:
    """Return the keys of a yaml file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not yaml, or has a key twice; the message has the line and the column.
    """
    try:
        node = yaml.compose(Path(path).read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = " ".join(f"{error.context or ''} {error.problem or ''}".split())
        raise ValueError(
            f"{path}: {place}{what}, expected yaml, such as scans: /data/kitti"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path}: {why}, expected yaml in UTF-8") from None
    if isinstance(node, yaml.ScalarNode) and node.value:
        raise ValueError(
            f"{path}: line 1: {node.value[:40]!r}, expected keys and values, such as "
            f"scans: /data/kitti"
        )
    keys: list[str] = []
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in keys:
            raise ValueError(
                f"{path}: line {key.start_mark.line + 1}: {key.value} for the second "
                f"time, expected it once"
            )
        keys.append(key.value)
    return keys
