"""CSV (RFC 4180) that is safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A cell that begins so is a formula to Excel, LibreOffice and Google Sheets (OWASP: CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """Return *records* as CSV with a header row; text that a spreadsheet would run gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_inert(record[column]) for column in columns] for record in records)
    return text.getvalue()


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
