"""Write what an inspection found as a page with pictures."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from birdview.files import write_atomically
from birdview.inspect.findings import Findings
from birdview.inspect.report import (
    describe_opinions,
    describe_scene,
    describe_shares,
    format_numbers,
)
from birdview.inspect.sample import Group
from birdview.inspect.view import Picture, View

STYLE = """
:root { color-scheme: dark; --background: #0b0e13; --panel: #12171f; --line: #2a3341;
  --text: #e3e8ef; --muted: #98a4b5; --accent: #5cc8ff; --alert: #ff9d5c; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  background: var(--background); color: var(--text); max-width: 84rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.9rem 0.2rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
th, .muted { color: var(--muted); font-weight: 400; }
.alert { color: var(--alert); } .good { color: var(--accent); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.6rem 0.8rem; overflow-x: auto; }
section { overflow-x: auto; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 420px; max-width: calc((100% - 2rem) / 3); }
@media (max-width: 50rem) { figure { max-width: 100%; } }
figure img { display: block; max-width: 100%; border-radius: 4px; background: black;
  margin-bottom: 0.4rem; }
figcaption { color: var(--muted); font-size: 0.85rem; overflow-wrap: anywhere; }
"""


def write_page(path: str, found: Findings, settings: Sequence[str]) -> None:
    """Write a page that needs no other file.

    Parameters
    ----------
    path : str
    found : Findings
    settings : sequence of str
        The files of settings that were written, one for each piece of advice.
    """
    parts = [
        f"<h1>{escape(found.folder)}</h1>",
        *_advice(found, settings),
        *_yours(found),
        *_notes(found),
        *_groups(found),
        *_layouts(found),
        *_numbers(found),
    ]
    body = "\n".join(parts)
    write_atomically(
        path,
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>birdview: {escape(found.folder)}</title>\n<style>{STYLE}</style>\n"
        f"{body}\n</html>\n".encode(errors="backslashreplace"),
    )


def _advice(found: Findings, settings: Sequence[str]) -> Iterator[str]:
    if not settings:
        yield '<p class="alert">No scan was found that birdview can read.</p>'
        return
    if len(settings) > 1:
        yield (
            "<p>The scene does not tell which way is forward. Look at the pictures: "
            "the street should run up, and what the sensor moves towards be at the "
            "top.</p>"
        )
    for advice, view, file in zip(found.advice, found.views, settings, strict=False):
        yield f"<section><h2>{escape(file)}: {escape(advice.meaning)}</h2>"
        yield f"<pre>{escape(Path(file).read_text())}</pre>"
        if not advice.layout.name:
            layout = file.replace("/settings", "/layout")
            yield f"<p>{escape(layout)}:</p>"
            yield f"<pre>{escape(Path(layout).read_text())}</pre>"
        yield f"<pre>snakemake --cores 8 --configfile {escape(file)}</pre>"
        yield f"<p>{escape(describe_shares(view.shares))}</p>" if view.shares else ""
        yield from _view(view)
        yield "</section>"


def _view(view: View) -> Iterator[str]:
    if view.error:
        yield f'<p class="alert">{escape(view.error)}</p>'
    yield '<div class="pictures">'
    yield from map(_figure, view.pictures)
    yield "</div>"
    if view.pictures:
        yield (
            '<p class="muted">From above, forward up; below each, from the right, '
            "forward to the right: the road should be on the line, and the dot is the "
            "sensor.</p>"
        )


def _figure(picture: Picture) -> str:
    images = _image(picture.top, f"{picture.scan} from above") + _image(
        picture.side, f"{picture.scan} from the right"
    )
    return f"<figure>{images}<figcaption>{escape(picture.scan)}</figcaption></figure>"


def _image(picture: NDArray[np.uint8], label: str) -> str:
    _, png = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    data = b64encode(png.tobytes()).decode()
    return f'<img alt="{escape(label)}" src="data:image/png;base64,{data}">'


def _yours(found: Findings) -> Iterator[str]:
    if found.yours:
        yield "<section><h2>Your settings do not fit</h2><ul>"
        yield from (f'<li class="alert">{escape(text)}</li>' for text in found.yours)
        yield "</ul></section>"
    elif found.advice:
        yield '<section><h2>Your settings</h2><p class="good">They fit.</p></section>'


def _notes(found: Findings) -> Iterator[str]:
    if found.notes:
        yield "<section><h2>Notes</h2><ul>"
        yield from (f"<li>{escape(text)}</li>" for text in found.notes)
        yield "</ul></section>"


def _groups(found: Findings) -> Iterator[str]:
    yield "<section><h2>Files</h2>"
    yield _table(
        ("number", "files", "what they are", "what to do"),
        (
            (
                f"{len(group.paths):,}",
                group.name,
                kind.name if kind else "",
                kind.advice if kind and not _are_scans(group, found) else "",
            )
            for group in found.groups
            for kind in (group.kind or group.place,)
        ),
    )
    yield "</section>"


def _are_scans(group: Group, found: Findings) -> bool:
    """Whether what to do with files is in the suggested settings."""
    scans = found.families[0].files if found.advice else {}
    return not scans.keys().isdisjoint(group.paths)


def _layouts(found: Findings) -> Iterator[str]:
    for family in found.families[:1]:
        yield "<section><h2>Built-in layouts</h2>"
        if family.schema:
            yield f"<p>Fields: {escape(str(family.schema))}.</p>"
        yield (
            f"<p>{escape(describe_opinions(family))}. Scores are from 0 to 1, by the "
            f"size of the files and by the numbers in them.</p>"
        )
        yield _table(
            ("score", "layout", "fits", "why not"),
            (
                (f"{one.score:.2f}", one.name, f"{one.share:.0%}", one.problem)
                for one in family.opinions
            ),
        )
        if family.record and not family.schema:
            yield f"<p>The records are {escape(family.label)}.</p>"
        yield "</section>"


def _numbers(found: Findings) -> Iterator[str]:
    numbers = found.numbers
    if numbers is None:
        return
    title, *_ = format_numbers(numbers, found.advice[0].layout)
    yield f"<section><h2>{escape(title)}</h2>"
    yield _table(
        ("least", "1%", "median", "99%", "greatest", "number"),
        (
            (*(f"{value:.4g}" for value in one.values), one.name)
            for one in numbers.quantiles
        ),
        numeric=5,
    )
    yield "<ul>"
    yield from (
        f"<li>{escape(line)}</li>"
        for line in describe_scene(numbers, found.advice[0].layout)
    )
    yield "</ul></section>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numeric: int = 1) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = [' class="number"'] * numeric + [""] * (len(cells) - numeric)
        return "".join(
            f"<{tag}{kind}>{escape(cell)}</{tag}>"
            for kind, cell in zip(kinds, cells, strict=True)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>\n" for row in rows)
    return f"<table><tr>{line('th', head)}</tr>\n{body}</table>"
