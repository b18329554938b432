"""Describe a bundle as an RO-Crate, for archives and WorkflowHub.

Source of the format: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the profile
Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5).
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

import birdview

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
FORMATS = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".py": "text/x-python",
    ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml",
}


def describe_crate(
    files: Mapping[str, bytes], manifest: str, scans: int, images: bool
) -> bytes:
    """Describe a bundle as an RO-Crate.

    Parameters
    ----------
    files : dict of str to bytes
        By path in the bundle; among them `Snakefile`, `config.yaml`, `README.md` and
        the manifest.
    manifest : str
        The path of the manifest in the bundle.
    scans : int
        The number of scans.
    images : bool
        Whether the images are beside the manifest.

    Returns
    -------
    bytes
        JSON in UTF-8. It does not depend on when and where it was made: the crate has
        the date of this version of the program.
    """
    crate = ROCrate(version="1.1")
    crate.name = "A run of birdview: bird's-eye-view images of LiDAR scans"
    crate.description = (
        "Everything needed to render the same images of the same scans again, and to "
        "verify them by their digests."
    )
    crate.datePublished = birdview.__date__
    crate.license = _add(
        crate,
        "https://spdx.org/licenses/MIT",
        "CreativeWork",
        name="MIT License",
        description="For the workflow; images are under the licence of their scans.",
    )
    crate.root_dataset["conformsTo"] = [
        _add(crate, url, "CreativeWork", name=name, version=url.rpartition("/")[2])
        for url, name in PROFILES.items()
    ]
    for path, content in files.items():
        crate.add_file(dest_path=path, properties=_properties(path, content))
    workflow = crate.add_workflow(
        dest_path="Snakefile",
        properties=_properties("Snakefile", files["Snakefile"]),
        main=True,
        lang="snakemake",
        lang_version=version("snakemake"),
    )
    workflow["name"] = "birdview"
    workflow["description"] = birdview.__doc__
    workflow["version"] = birdview.__version__
    workflow["license"] = crate.license
    workflow["conformsTo"] = _add(
        crate,
        "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE",
        "CreativeWork",
        name="Bioschemas ComputationalWorkflow",
        version="1.0-RELEASE",
    )
    crate.get("README.md")["about"] = crate.root_dataset
    settings, result = crate.get("config.yaml"), crate.get(manifest)
    number = _add(
        crate,
        "#scans",
        "PropertyValue",
        name="scans",
        value=f"{scans} scans, listed in {manifest} by name and SHA-256",
    )
    workflow["input"] = [
        _add_parameter(crate, "settings", "File", settings),
        _add_parameter(crate, "scans", "PropertyValue", number),
    ]
    workflow["output"] = _add_parameter(crate, "manifest", "File", result)
    if images:
        folder = str(PurePosixPath(manifest).parent)
        what = "The images, <encoding>/<scan>.png, and their manifest."
        folder = crate.add_dataset(dest_path=folder, properties={"name": what})
        result = [result, folder]
    action = crate.add_action(
        workflow,
        identifier="#run",
        object=[settings, number],
        result=result,
        properties={
            "name": "The run",
            "description": "Renders the images of all scans and lists them by digests.",
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    crate.root_dataset["mentions"] = action
    text = json.dumps(crate.metadata.generate(), indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Any:
    return crate.add(
        ContextEntity(crate, identifier, properties={"@type": kind, **properties})
    )


def _add_parameter(crate: ROCrate, name: str, kind: str, example: Any) -> Any:
    """Describe an input or output of the workflow, with its value in this run."""
    parameter = _add(
        crate,
        f"#{name}-parameter",
        "FormalParameter",
        name=name,
        additionalType=kind,
        workExample=example,
    )
    example["exampleOfWork"] = parameter
    return parameter


def _properties(path: str, content: bytes) -> dict[str, str]:
    return {
        "name": path,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "encodingFormat": FORMATS.get(PurePosixPath(path).suffix, "text/plain"),
    }
