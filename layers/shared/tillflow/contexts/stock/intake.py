"""
Taking in an import: its file is stored at once, and recorded afterwards by a state machine (importing.py).

An import is its own record of its key: the same key of the same user is the same import, for good, and with another file
a conflict. A start that is lost, or a state machine that gave up, the schedule makes good.
"""

import hashlib
from contextlib import suppress

from tillflow.contexts.stock import importstore, sheet
from tillflow.contexts.stock.imports import present
from tillflow.contexts.stock.importstore import COMPLETED, Import
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.values import clock, ids, jsontext


def accept(text: str, key: str, cause: Cause, *, dry_run: bool) -> Reply:
    """
    Take in a file, and return the import (202).

    Raises:
        InvalidImport: it is no such file.
        KeyConflict: the key was used with another file, or for a dry run.
    """
    wanted = sheet.read(text)
    digest = hashlib.sha256(f"{dry_run}\n{text}".encode(errors="surrogatepass")).hexdigest()[:32]
    import_id = ids.derived("import", f"{cause.user_id}\n{key}")
    found = importstore.find(import_id)
    replayed = found is not None
    if found is None:
        pieces = list(sheet.pieces(wanted.rows))
        job = Import(
            import_id,
            digest,
            dry_run,
            cause.user_id,
            cause.roles,
            cause.trace_id,
            clock.iso(cause.at),
            wanted.lines,
            sizes=[len(piece) for piece in pieces],
            user_name=cause.name,
        )
        importstore.put_pieces(job, pieces)
        found = importstore.add(job, cause)
        replayed = found is not job
    if found.digest != digest:
        raise KeyConflict("This Idempotency-Key was used with a different file. Use a new key.")
    if found.status != COMPLETED:
        with suppress(Unavailable):  # the schedule starts it, then
            start(import_id)
    return Reply(202, present(found), replayed=replayed)


def start(import_id: str) -> None:
    """
    Start recording an import; one that is being recorded already is not recorded twice.

    Raises:
        Unavailable: Step Functions did not answer.
    """
    with faults.unavailable("state machine"):
        aws.client("stepfunctions").start_execution(
            stateMachineArn=setting("STOCK_IMPORT_ARN"), input=jsontext.dumps({"data": {"import_id": import_id}})
        )


def resume(cause: Cause) -> int:
    """Start every import again that should have ended by now; return how many."""
    overdue = importstore.overdue(cause.at)
    for import_id in overdue:
        # Started first, postponed after: one start too many does no harm.
        start(import_id)
        importstore.postpone(import_id, cause)
    return len(overdue)
