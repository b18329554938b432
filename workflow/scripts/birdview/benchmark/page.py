"""Write tables of measurements and their charts as one page for the browser."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from birdview.files import PathLike, read_table
from birdview.view.charts import CHARTS

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
svg { max-width: 100%; height: auto; background: white; border-radius: 6px; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0; }
th, td { padding: 0.2rem 0.7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #8886; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
"""


def write_page(
    path: PathLike, title: str, tables: Sequence[PathLike], charts: Sequence[PathLike]
) -> None:
    """Write a page that needs no other file.

    Parameters
    ----------
    path : path-like
    title : str
    tables : sequence of path-like
        In the order of the page.
    charts : sequence of path-like
        The charts of tables that have one, under the same file names.
    """
    pictures = {Path(chart).stem: Path(chart).read_text() for chart in charts}
    sections = [_section(table, pictures) for table in tables]
    Path(path).write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"<h1>{escape(title)}</h1>\n{''.join(sections)}</html>\n",
        encoding="utf-8",
    )


def _section(table: PathLike, pictures: Mapping[str, str]) -> str:
    name = Path(table).stem
    rows = _table(read_table(table))
    if name not in CHARTS:
        return rows
    chart = CHARTS[name]
    # Without the XML header, which is not allowed inside a page.
    picture = pictures[name][pictures[name].index("<svg") :]
    return (
        f"<h2>{escape(chart.title)}</h2>\n<p>{escape(chart.caption)}</p>\n"
        f"{picture}\n{rows}"
    )


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    head = "".join(f"<th>{escape(key.replace('_', ' '))}</th>" for key in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row.values())}</tr>\n"
        for row in rows
    )
    return f"<div><table>\n<tr>{head}</tr>\n{body}</table></div>\n"
