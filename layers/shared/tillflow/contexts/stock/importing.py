"""
Recording an import: piece by piece, each stock event in one commit with what became of its rows.

So a run may end anywhere, and two may run at once: the next goes on with the rows of which nothing became yet, and what
another has stored meanwhile makes a commit fail, not double. A dry run is the same without the movements.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError

from tillflow.contexts.stock import closing, importstore, recording, rules, shards, sheet, shifting, store
from tillflow.contexts.stock.importstore import COMPLETED, Import, Progress
from tillflow.contexts.stock.models import CreateStockEvent, EventType, StockEventLine
from tillflow.contexts.stock.rules import AlreadyExists, InsufficientStock, variant_id_of, warehouse_id_of
from tillflow.contexts.stock.sheet import Cells, Checked
from tillflow.errors import Refusal
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, deadline
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit
from tillflow.web.validation import problems

# A stock event is committed, its warehouse looked at, what became of rows stored.
_SECONDS = 4 * aws.LONGEST_CALL_SECONDS

# Of a variant in a warehouse, by their ids.
Units = Counter[tuple[str, str]]


class _OutOfTime(Exception):
    """The next run goes on."""


def run(import_id: str) -> bool:
    """
    Go on with an import while there is time; tell whether it has ended (or there is none).

    Raises:
        Unavailable: the database does not answer; the same may be tried again.
    """
    job = importstore.find(import_id)
    if job is None or job.status == COMPLETED:
        return True
    rehearsed: Units = Counter()
    try:
        for piece in range(len(job.sizes)):
            while not _go_on(job, piece, rehearsed):
                pass
    except _OutOfTime:
        return False
    importstore.complete(job, _cause(job))
    return True


def _go_on(job: Import, piece: int, rehearsed: Units) -> bool:
    """Tell whether the piece is done; if not, another run was at it, and it is looked at anew."""
    progress = importstore.progress_of(job, piece)
    if progress.is_done and not job.dry_run:
        return True
    if not progress.is_done:
        _check_time()
    rows = importstore.rows_of(job, piece)
    try:
        if job.dry_run:
            _rehearse(job, progress, rows, rehearsed)
        else:
            _record(job, progress, rows)
    except (Moved, AlreadyExists):
        return False
    return True


def _check_time() -> None:
    if deadline.remaining() < _SECONDS:
        raise _OutOfTime


def _cause(job: Import) -> Cause:
    return Cause(job.user_id, job.roles, job.trace_id, name=job.user_name)


# --- what a row is, and whether it may be


def _checked(job: Import, progress: Progress, rows: Sequence[Cells]) -> list[Checked]:
    """Return the rows that nothing became of and that break no rule; of the others, note why not."""
    cause = _cause(job)
    places, skus = ({cells[at].strip() for cells in rows} for at in (1, 2))
    warehouses = {each.code: each for each in store.find_warehouses(map(warehouse_id_of, places), consistent=True)}
    variants = {each.sku: each for each in store.find_variants(map(variant_id_of, skus))}
    fine = []
    for index in [index for index, outcome in enumerate(progress.outcomes) if outcome is None]:
        try:
            row = sheet.row_of(rows[index])
            if row.warehouseCode not in warehouses:
                raise rules.WarehouseNotFound(f"There is no warehouse with the code {row.warehouseCode}.")
            if row.sku not in variants:
                raise rules.VariantNotFound(f"There is no variant with the SKU {row.sku}.")
            each = Checked(index, row, warehouses[row.warehouseCode], variants[row.sku])
            rules.check_access(each.warehouse, cause.user_id, cause.roles)
            recording.decide(_event([each]), each.warehouse, [each.variant], cause)
        except ValidationError as error:
            progress.refuse(index, rules.InvalidStockEvent(problems(error)))
        except Refusal as refusal:
            progress.refuse(index, refusal)
        else:
            fine.append(each)
    return fine


def _event(rows: Sequence[Checked]) -> CreateStockEvent:
    first = rows[0]
    lines = [(UUID(each.variant.variant_id), each.row.quantity) for each in rows]
    return CreateStockEvent.model_construct(
        type=first.row.type,
        warehouseId=UUID(first.warehouse.warehouse_id),
        occurredAt=first.row.occurredAt,
        reasonCode=first.row.reasonCode,
        notes=first.row.notes,
        lines=[StockEventLine.model_construct(variantId=variant_id, quantity=quantity) for variant_id, quantity in lines],
    )


# --- for good


def _record(job: Import, progress: Progress, rows: Sequence[Cells]) -> None:
    """Record what the rows say of which nothing became yet."""
    for event in sheet.stock_events(_checked(job, progress, rows)):
        _record_event(job, progress, event)
    if progress.has_news:
        _keep(job, progress)


def _keep(job: Import, progress: Progress) -> None:
    commit = Commit(_cause(job))
    importstore.keep(commit, job, progress, Moved)
    commit.write()


def _record_event(job: Import, progress: Progress, rows: Sequence[Checked]) -> None:
    """Record the rows as one stock event; where that takes more than there is, each half for itself."""
    _check_time()
    try:
        _commit_event(job, progress, rows)
    except InsufficientStock as short:
        if len(rows) == 1:
            progress.refuse(rows[0].index, short)
            return
        half = len(rows) // 2
        _record_event(job, progress, rows[:half])
        _record_event(job, progress, rows[half:])


def _commit_event(job: Import, progress: Progress, rows: Sequence[Checked]) -> None:
    cause, event, variants = _cause(job), _event(rows), [each.variant for each in rows]
    warehouse, first = rows[0].warehouse, sum(job.sizes[: progress.piece]) + rows[0].index
    after = progress.with_event(first, [each.index for each in rows])
    commit = Commit(cause)
    recording.add_movement(commit, importstore.event_id_of(job, first), event, warehouse, variants, cause)
    importstore.keep(commit, job, after, Moved)
    commit.write()
    progress.become(after)
    if event.type is not EventType.OUTBOUND:
        closing.follow(warehouse, event.lines, cause)
        shifting.even_out_later(variants, warehouse.warehouse_id, cause)


# --- and as a rehearsal


def _rehearse(job: Import, progress: Progress, rows: Sequence[Cells], rehearsed: Units) -> None:
    """Say what would become of the rows, after those before them (*rehearsed*) and with what is available now."""
    fresh, moves = Progress(progress.piece, [None] * len(rows), progress.version), Units()
    fine = _checked(job, fresh, rows)
    available = _available(fine)
    for each in fine:
        level = (each.warehouse.warehouse_id, each.variant.variant_id)
        moved = rules.signed_quantity(each.row.type, each.row.quantity)
        there = available[level] + rehearsed[level] + moves[level]
        if moved < 0 and there + moved < 0:
            fresh.refuse(each.index, recording.insufficient(each.row.sku, -moved, there))
        else:
            moves[level] += moved
            fresh.outcomes[each.index] = 0
    if not progress.is_done:
        _keep(job, fresh)
    rehearsed.update(moves)


def _available(rows: Sequence[Checked]) -> Units:
    wanted: dict[str, set[str]] = {}
    for each in rows:
        wanted.setdefault(each.warehouse.warehouse_id, set()).add(each.variant.variant_id)
    found = (level for place, variants in wanted.items() for level in shards.find_totals(place, variants).values())
    return Units({(level.warehouse_id, level.variant_id): level.available for level in found})
