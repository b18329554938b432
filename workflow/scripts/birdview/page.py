"""Pages: tables of measurements and their charts on one page, for the browser."""

from html import escape
from pathlib import Path

from birdview.charts import CHARTS, read_table

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


def write_page(path, title, tables, charts):
    """Write a page that needs nothing beside it.

    Parameters
    ----------
    path : path-like
    title : str
    tables : list of path-like
        In the order of the page.
    charts : list of path-like
        Of those tables of which there is one, by the name of the file.
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


def _section(table, pictures):
    name = Path(table).stem
    rows = _table(read_table(table))
    if name not in CHARTS:
        return rows
    chart = CHARTS[name]
    # Without what precedes it: a page has no place for the head of an XML file.
    picture = pictures[name][pictures[name].index("<svg") :]
    return (
        f"<h2>{escape(chart.title)}</h2>\n<p>{escape(chart.caption)}</p>\n"
        f"{picture}\n{rows}"
    )


def _table(rows):
    head = "".join(f"<th>{escape(key.replace('_', ' '))}</th>" for key in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row.values())}</tr>\n"
        for row in rows
    )
    return f"<div><table>\n<tr>{head}</tr>\n{body}</table></div>\n"
