"""
An import's file: rows of CSV (RFC 4180), checked one by one, and gathered into stock events. No I/O.

Rows that say the same of type, warehouse, reason, notes and time become one stock event, up to 90 of them; each variant is
in it once. A row joins an earlier one's event only where no row between them moves the same variant in the same warehouse:
what the file says of a level happens in the file's order.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tillflow.contexts.stock.models import MAX_IMPORT_ROWS, MAX_LINES, MAX_NOTES, ImportRow
from tillflow.contexts.stock.rules import InvalidImport, Variant, Warehouse

COLUMNS = ("type", "warehouseCode", "sku", "quantity", "reasonCode", "notes", "occurredAt")
_REQUIRED = COLUMNS[:-1]
# What a stored piece of a file has at most: DynamoDB takes 400 KB.
ROWS_OF_A_PIECE, _BYTES_OF_A_PIECE = 500, 250_000

type Cells = list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file, each the cells of `COLUMNS`, and the *lines* that they begin in (the heading is in the first)."""

    rows: list[Cells]
    lines: list[int]


@dataclass(frozen=True, slots=True)
class Checked:
    """The row at *index* of a piece, which breaks no rule; what its codes stand for."""

    index: int
    row: ImportRow
    warehouse: Warehouse
    variant: Variant


def read(text: str) -> Sheet:
    """
    Return the rows of CSV *text*; what is in one is not looked at.

    Raises:
        InvalidImport: it is no such file, or has too many rows.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    sheet, places = Sheet([], []), dict[str, int]()
    line = 1
    try:
        for cells in reader:
            if not places:
                places = _places(cells)
            elif any(cells):
                sheet.rows.append(_cells(cells, places, line))
                sheet.lines.append(line)
            line = reader.line_num + 1
            if len(sheet.rows) > MAX_IMPORT_ROWS:
                raise InvalidImport(f"The file has more than {MAX_IMPORT_ROWS:,} rows. Send it in parts.")
    except csv.Error as error:
        raise InvalidImport(f"Line {line} is not CSV: {error}.") from error
    if not sheet.rows:
        raise InvalidImport("The file has no rows.")
    return sheet


def _places(heading: Cells) -> dict[str, int]:
    """Return where each column is."""
    names = [each.strip() for each in heading]
    if set(names) - set(COLUMNS) or set(_REQUIRED) - set(names) or len(set(names)) < len(names):
        raise InvalidImport(f"The first line must name these columns, separated by commas: {', '.join(_REQUIRED)}[, occurredAt].")
    return {name: place for place, name in enumerate(names)}


def _cells(cells: Cells, places: dict[str, int], line: int) -> Cells:
    if len(cells) != len(places):
        raise InvalidImport(f"Line {line} has {len(cells)} cells, the heading {len(places)}.")
    # What is longer is too long however long it is.
    return [cells[places[name]][: MAX_NOTES + 1] if name in places else "" for name in COLUMNS]


def pieces(rows: Sequence[Cells]) -> Iterator[list[Cells]]:
    """Yield the rows in pieces, none too large to be stored."""
    piece: list[Cells] = []
    size = 0
    for row in rows:
        length = len("".join(row).encode(errors="replace"))
        if piece and (len(piece) == ROWS_OF_A_PIECE or size + length > _BYTES_OF_A_PIECE):
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += length
    yield piece


def row_of(cells: Cells) -> ImportRow:
    """
    Return the row that these cells say; an empty cell says nothing.

    Raises:
        pydantic.ValidationError: they do not.
    """
    return ImportRow.model_validate({name: cell.strip() or None for name, cell in zip(COLUMNS, cells, strict=True)})


def stock_events(rows: Sequence[Checked]) -> list[list[Checked]]:
    """Return the rows of each stock event, in the order of their first."""
    events: list[list[Checked]] = []
    open_events: dict[tuple[object, ...], int] = {}
    last: dict[tuple[str, str], int] = {}
    for each in rows:
        row, level = each.row, (each.warehouse.warehouse_id, each.variant.variant_id)
        said = (row.type, each.warehouse.warehouse_id, row.reasonCode, row.notes, row.occurredAt)
        event = open_events.get(said, -1)
        if event <= last.get(level, -1) or len(events[event]) == MAX_LINES:
            event = open_events[said] = len(events)
            events.append([])
        events[event].append(each)
        last[level] = event
    return events


def steps(lines: Sequence[int]) -> list[int]:
    """Return how far each line is from the one before: mostly 1, of which many take next to no room."""
    return [after - before for before, after in pairwise([0, *lines])]
