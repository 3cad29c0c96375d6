"""
CSV (RFC 4180) that is safe to open in a spreadsheet.

A spreadsheet guesses what separates cells, so text may begin one anywhere: behind a semicolon, a tab, a line's end. Where a
formula could begin, an apostrophe makes it text. Whoever reads the file as commas separate it gets the first text back by
taking away each apostrophe at such a place (the start of a cell, and behind `;`, `,`, `|`, a tab or a line's end) that a
formula's first character follows, with nothing but quotes and white space between.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# What begins a formula to Excel, LibreOffice or Google Sheets, and what they overlook in front of it (OWASP: CSV injection).
_FORMULA = r"[=+\-@＝＋－＠]"  # noqa: RUF001 - the wide ones are taken for the others
_OVERLOOKED = r"""['"\s\x00\u200b\u2060\ufeff]*"""
# White space at a cell's start is dropped, and what is behind it looked at again.
_BEGINS = re.compile(rf"^(?='*[\t\r\n])|(?:^|(?<=[;,|\t\n])|(?<=\r)(?!\n))(?={_OVERLOOKED}{_FORMULA})")


def rows(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a header row, then each of the *records*, as CSV. A number stays a number, whatever its sign."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    yield text.getvalue()
    for record in records:
        text.seek(0)
        text.truncate()
        writer.writerow([_inert(record[column]) for column in columns])
        yield text.getvalue()


def _inert(value: object) -> object:
    return _BEGINS.sub("'", value) if isinstance(value, str) else value
