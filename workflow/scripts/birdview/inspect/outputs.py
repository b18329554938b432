"""Write the settings and layouts that an inspection suggests."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from birdview.files import write_atomically
from birdview.inspect.findings import Findings
from birdview.inspect.sample import suffix_of
from birdview.inspect.scans import describe_types
from birdview.inspect.suggest import Advice, describe_box, write_layout, write_mapping
from birdview.inspect.tables import from_records

_CHOOSING = "match", "suffix", "split"
"""Settings that say which files are scans."""


def write_settings(
    found: Findings, settings: Mapping[str, Any], folder: str
) -> list[str]:
    """Write a file of settings for each piece of advice, and their layouts.

    Parameters
    ----------
    found : Findings
    settings : mapping
        The settings of the run, with defaults.
    folder : str
        Where to write.

    Returns
    -------
    list of str
        The paths of the settings, the likeliest first: settings.yaml, then
        settings_other.yaml.
    """
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name in ("", "_other"):
        for kind in ("settings", "layout"):
            Path(folder, f"{kind}{name}.yaml").unlink(missing_ok=True)
    for advice, name in zip(found.advice, ("", "_other"), strict=False):
        path, layout = (
            f"{folder}/{kind}{name}.yaml" for kind in ("settings", "layout")
        )
        # Snakemake would merge a frame with that of the user's own settings.
        is_own = not advice.layout.name or (
            advice.frame and settings["frame"] is not None
        )
        if is_own:
            write_atomically(layout, _format_layout(advice, found).encode())
        values = _choose_settings(advice, found, settings, layout if is_own else "")
        write_atomically(path, _format_settings(values, advice).encode())
        paths.append(path)
    return paths


def _choose_settings(
    advice: Advice, found: Findings, settings: Mapping[str, Any], layout: str
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "scans": settings["scans"],
        "layout": layout or advice.layout.name,
    }
    if settings["frame"] is not None:
        values["frame"] = None
    elif advice.frame and not layout:
        values["frame"] = advice.frame
    for key in _CHOOSING:
        if settings[key] is not None:
            values[key] = settings[key] if not found.suffix else None
    if found.match:
        values["match"] = found.match if len(found.match) > 1 else found.match[0]
    suffix = _suffix_of(found)
    if suffix and suffix != advice.layout.suffix and not layout:
        values["suffix"] = suffix
    return values


def _suffix_of(found: Findings) -> str:
    """Return the suffix of the scans; empty if the settings choose records."""
    family = found.families[0]
    return found.suffix or (
        suffix_of(next(iter(family.files))) if family.schema else ""
    )


def _format_settings(values: Mapping[str, Any], advice: Advice) -> str:
    lines = [f"# Suggested by `snakemake inspect`: {advice.meaning}."]
    for key, value in values.items():
        text = (
            write_mapping(value)
            if isinstance(value, Mapping)
            else yaml.safe_dump(
                value, default_flow_style=True, allow_unicode=True, width=10_000
            )
            .removesuffix("\n...\n")
            .strip()
        )
        lines.append(f"{key}: {text}")
    return "\n".join(lines) + "\n"


def _format_layout(advice: Advice, found: Findings) -> str:
    layout, schema = advice.layout, found.families[0].schema
    what = f"{describe_types(layout)}, as `snakemake inspect` found it"
    if schema:
        layout = from_records(layout, schema)
        what = f"Files of the format {schema.format}, as `snakemake inspect` found them"
    if suffix := _suffix_of(found):
        layout = layout._replace(suffix=suffix)
    notes = []
    numbers = found.numbers
    if numbers and numbers.vehicle:
        vehicle = numbers.vehicle
        box = describe_box(vehicle, numbers.axes, advice.layout)
        notes = [
            f"Points of the vehicle, {vehicle.share:.1%} of all, may be left out:",
            f"without: {write_mapping(box)}",
        ]
    return write_layout(
        layout,
        advice.frame,
        f"{what}; {advice.meaning}.",
        notes,
    )
