"""Explain why there is no rule for a target, and what to type instead."""

import os
import re
import shlex

from birdview import paths
from birdview.pixels.schema import suggest
from birdview.run import Run
from birdview.settings import list_names

TARGETS = (
    *("all", "inspect", "unpack", "boxes", "dataset", "kitti_results", "gallery"),
    *("contact_sheet", "movie", "counts", "statistics", "report", "manifest", "verify"),
    *("bundle", "benchmark", "benchmark_scale"),
)
"""Names that users type, as workflow/Snakefile explains them."""


def explain_target(run: Run, target: str) -> str:
    """Return in one line why a target cannot be made, and what to type.

    Parameters
    ----------
    run : Run
    target : str
        As Snakemake reports it.
    """
    name, equals, _ = target.partition("=")
    if equals and name in list_names():
        return (
            f"{target}: a setting, not a target, expected it after --config: snakemake "
            f"--config {shlex.quote(target)}"
        )
    image = re.fullmatch(rf"{re.escape(run.results)}/([^/]+)/.+\.png", target)
    if image and image[1] not in run.encodings:
        return _explain_encoding(run, target, image[1])
    hint = suggest(target, TARGETS)
    if hint and target != run.results and not os.path.exists(target):
        return f"{target}: no such target{hint}"
    for kind, key, folder in (
        ("an encoding", "encodings", paths.ENCODINGS),
        ("a layout", "layout", paths.LAYOUTS),
    ):
        if (folder / f"{target}.yaml").is_file():
            return (
                f"{target}: {kind}, not a target, expected it as a setting: snakemake "
                f"--config {key}={target}"
            )
    if target.endswith((".yaml", ".yml")) and os.path.isfile(target):
        return f"{target}: a file, expected it as settings: --configfile {target}"
    if os.path.isdir(target) and target.split("/")[0] != run.results:
        return (
            f"{target}: a folder, not a target, expected it as a setting: snakemake "
            f"--config {shlex.quote(f'scans={target}')}"
        )
    return (
        f"{target}: no such target, expected an image such as "
        f"{run.results}/{next(iter(run.encodings))}/SCAN.png, or one of "
        f"{', '.join(TARGETS)}"
    )


def _explain_encoding(run: Run, target: str, encoding: str) -> str:
    listed = ", ".join(run.encodings)
    built_in = [file.stem for file in paths.ENCODINGS.glob("*.yaml")]
    if encoding in built_in:
        settings = [f"encodings={','.join([*run.encodings, encoding])}"]
        if run.settings["scans"] is not None:
            settings.insert(0, f"scans={run.settings['scans']}")
        return (
            f"{target}: encodings: {listed}, expected {encoding} among them: snakemake "
            f"{shlex.quote(target)} --config {shlex.join(settings)}"
        )
    hint = suggest(encoding, [*run.encodings, *built_in])
    return f"{target}: no encoding {encoding}{hint}, expected one of {listed}"
