"""The commands of README and docs: where they are, and who runs them."""

import re
from pathlib import Path
from typing import NamedTuple

import yaml
from helpers import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
BLOCK = re.compile(r"```(?:bash|sh)\n(.*?)```", flags=re.DOTALL)
ANY_BLOCK = re.compile(r"```.*?```", flags=re.DOTALL)
IN_A_LINE = re.compile(r"`(snakemake [^`\n]+)`")
SETTINGS = re.compile(r"```yaml\n# (\S+)/config\.yaml\n(.*?)```", flags=re.DOTALL)
RUN_ELSEWHERE = {
    r"(\.venv/bin/)?pip install|conda env": ".ci/run",
    r"python3 -m venv|source \.venv": ".ci/run",
    r"pytest|ruff|bash \.ci/run": ".ci/run",
    r"docker": "Dockerfile",
    r"yolo": "docs/training.md",
    r"python docs/\w+\.py": "tests/unit/test_docs.py",
    r"python -c": "tests/unit/test_docs.py",
    r"cd docs/module|snakemake bev_": "tests/workflow/test_module.py",
    r"snakemake --lint": "tests/workflow/test_project.py",
    r"snakemake --profile profiles/slurm": "tests/cluster/test_slurm.py",
    r"snakemake --profile profiles/s3|export SNAKEMAKE": "tests/cluster/test_bucket.py",
    r"snakemake (--cores 2 )?benchmark": "tests/workflow/test_benchmark.py",
    r"snakemake unpack": "tests/workflow/test_bags.py",
    r"snakemake kitti_results$": "tests/workflow/test_predictions.py",
    r"python tests/soak/": "docs/reliability.md",
}
"""Commands that `tests/soak/commands.py` leaves out, and the file that has more.

They need the network, a cluster, a GPU, a bag or some minutes.
"""


class Command(NamedTuple):
    """A command of a page.

    Attributes
    ----------
    page : str
        The path of the page in the project.
    text : str
        The command on one line, without a comment.
    folder : str
        The folder that it works in, if it names one; or ``"kitti"`` for a command in a
        line, which is meant for the reader's own folder.
    settings : dict
        Those of the ``config.yaml`` in the folder, as the page or README shows it.
    """

    page: str
    text: str
    folder: str
    settings: dict


def find_commands():
    """Return the commands in blocks, and those of Snakemake in lines; each once."""
    commands = {}
    for page, text in PAGES.items():
        if page == "CHANGELOG.md":  # which has commands of older versions
            continue
        found = []
        for block in BLOCK.finditer(text):
            for line in block[1].replace("\\\n", " ").splitlines():
                # A blank before a comment: a # may be part of a name.
                command = " ".join(re.sub(r" +# .*$", "", line).split())
                named = re.search(r"--directory (\S+)", command)
                found.append((command, named[1] if named else "", block.start()))
        for command in IN_A_LINE.findall(ANY_BLOCK.sub("", text)):
            named = re.search(r"--directory (\S+)", command)
            found.append((command, named[1] if named else "kitti", len(text)))
        for command, folder, end in found:
            settings = _settings_of(page, folder, end)
            entry = Command(page, command, folder, settings)
            if command:
                commands.setdefault((command, str(settings)), entry)
    return list(commands.values())


def _settings_of(page, folder, end):
    """Return the settings in a folder, by the page up to a place, or by README."""
    if not folder:
        return {}
    for text in (PAGES[page][:end], PAGES["README.md"]):
        found = [body for name, body in SETTINGS.findall(text) if name == folder]
        if found:
            return yaml.safe_load(found[-1])
    raise LookupError(f"{page}: no settings in {folder}, expected its config.yaml")


def run_elsewhere(command):
    """Return the file that has more about a command that is not run, or None."""
    for pattern, file in RUN_ELSEWHERE.items():
        if re.match(pattern, command):
            assert Path(ROOT, file).is_file(), file
            return file
    return None
