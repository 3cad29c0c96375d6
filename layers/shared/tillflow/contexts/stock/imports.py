"""Imports as they are told of: how far one is, and what became of its rows."""

from typing import Any

from tillflow.contexts.stock import importstore, rules
from tillflow.contexts.stock.importstore import Import, Outcome
from tillflow.contexts.stock.models import ImportRowsQuery
from tillflow.web.numbered import Named, page_of

_STATES = {True: "valid", False: "recorded"}


def show(import_id: str, query: ImportRowsQuery, user_id: str, roles: tuple[str, ...]) -> dict[str, Any]:
    """
    Return how far an import is, and a page of its rows.

    Raises:
        ImportNotFound: there is none, or it is another seller's.
    """
    job = importstore.find(import_id)
    if job is None or (rules.is_bound(roles) and job.user_id != user_id):
        raise rules.ImportNotFound("There is no import with this id.")
    outcomes = [each for progress in importstore.all_progress(job) for each in progress.outcomes]
    rows = [_row(job, line, outcome) for line, outcome in zip(job.lines, outcomes, strict=True)]
    wanted = [row for row in rows if query.status in (None, row["status"])]

    def read(after: str, most: int) -> list[Named[dict[str, Any]]]:
        # Names are in the order of lines as numbers are.
        return [named for row in wanted if (named := (f"{row['line']:09}", row))[0] > after][:most]

    page = page_of(query, of=(import_id, query.status), read=read, show=lambda shown: shown)
    counts = {name: sum(row["status"] == state for row in rows) for name, state in _counted(job).items()}
    return present(job) | {"status": job.status, "completedAt": job.completed_at} | counts | page


def _counted(job: Import) -> dict[str, str]:
    return {"accepted": _STATES[job.dry_run], "refused": "refused", "pending": "pending"}


def present(job: Import) -> dict[str, Any]:
    """Return an import as it was taken in."""
    return {
        "id": job.import_id,
        "status": "running",
        "dryRun": job.dry_run,
        "rows": len(job.lines),
        "createdById": job.user_id,
        "createdAt": job.created_at,
    }


def _row(job: Import, line: int, outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"line": line, "status": "pending", "stockEventId": None, "error_code": None, "message": None}
    match outcome:
        case int():
            event_id = None if job.dry_run else importstore.event_id_of(job, outcome)
            return row | {"status": _STATES[job.dry_run], "stockEventId": event_id}
        case [code, message]:
            return row | {"status": "refused", "error_code": code, "message": message}
    return row
