"""Imports in DynamoDB: what was sent, in pieces, and what became of each row of a piece."""

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from tillflow.contexts.stock import masters, tables
from tillflow.contexts.stock.sheet import Cells, steps
from tillflow.errors import Refusal
from tillflow.messaging.envelope import Cause
from tillflow.storage import batch, database
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.values import clock, ids, jsontext

RUNNING, COMPLETED = "running", "completed"
# By then one has ended, or lost its way: ten thousand rows take seconds, and a run that is throttled tries again for minutes.
_LATE_AFTER = timedelta(minutes=10)

_MOST_RESUMED = 50

# Of a row: nothing yet, the row that its stock event begins with, or the code and words of its refusal.
type Outcome = int | list[str] | None


@dataclass(frozen=True, slots=True)
class Import:
    """A file that *user_id* sent: the *lines* its rows begin in, and how many of them each stored piece has."""

    import_id: str
    digest: str
    dry_run: bool
    user_id: str
    roles: tuple[str, ...]
    trace_id: str
    created_at: str
    lines: list[int]
    sizes: list[int]
    status: str = RUNNING
    user_name: str | None = None
    completed_at: str | None = None


@dataclass(slots=True)
class Progress:
    """What became of the rows of a *piece*, as of a *version* (0: nothing is stored yet)."""

    piece: int
    outcomes: list[Outcome]
    version: int = 0
    has_news: bool = False  # what is not stored yet

    def refuse(self, index: int, refusal: Refusal) -> None:
        """Note why nothing becomes of a row."""
        self.outcomes[index], self.has_news = [refusal.code, refusal.message], True

    def with_event(self, first: int, indexes: Iterable[int]) -> "Progress":
        """Return what became of the rows when these are recorded as the stock event that begins with row *first*."""
        outcomes = list(self.outcomes)
        for index in indexes:
            outcomes[index] = first
        return Progress(self.piece, outcomes, self.version)

    def become(self, stored: "Progress") -> None:
        """Take what was stored now."""
        self.outcomes, self.version, self.has_news = stored.outcomes, stored.version + 1, False

    @property
    def is_done(self) -> bool:
        """Tell whether something became of every row."""
        return None not in self.outcomes


class _Exists(Exception):
    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


def find(import_id: str) -> Import | None:
    """Return an import, or None."""
    item = database.get(tables.stock(), tables.import_key(import_id))
    return _import(item) if item else None


def event_id_of(job: Import, first: int) -> str:
    """Return the id of the stock event whose first row is this one of the import's."""
    return ids.derived("imported", f"{job.import_id}:{first}")


def put_pieces(job: Import, pieces: Iterable[Sequence[Cells]]) -> None:
    """Store what was sent, before the import that has it; the same file is stored in the same places."""
    keys = (tables.piece_key(job.import_id, job.digest, number) for number in range(len(job.sizes)))
    batch.put(tables.stock(), (key | {"rows": _packed(piece)} for key, piece in zip(keys, pieces, strict=True)))


def add(job: Import, cause: Cause) -> Import:
    """Store a new import, and return it; or the one that is there."""
    item = {
        "status": job.status,
        "digest": job.digest,
        "dry_run": job.dry_run,
        "user_id": job.user_id,
        "user_name": job.user_name,
        "roles": list(job.roles),
        "trace_id": job.trace_id,
        "created_at": job.created_at,
        "lines": _packed(steps(job.lines)),
        "sizes": job.sizes,
    }
    commit = Commit(cause)
    commit.put(
        tables.stock(),
        tables.import_key(job.import_id) | item | _due(cause.at),
        when=absent(),
        otherwise=lambda found: _Exists(found or {}),
    )
    try:
        commit.write()
    except _Exists as exists:
        return _import(exists.item)
    return job


def rows_of(job: Import, piece: int) -> list[Cells]:
    """Return the rows of a piece."""
    item = database.get(tables.stock(), tables.piece_key(job.import_id, job.digest, piece)) or {}
    rows: list[Cells] = unpacked(item["rows"])
    return rows


def progress_of(job: Import, piece: int) -> Progress:
    """Return what became of the rows of a piece."""
    return _progress(job, piece, database.get(tables.stock(), tables.progress_key(job.import_id, piece)))


def all_progress(job: Import) -> list[Progress]:
    """Return what became of the rows of every piece; it may be a moment old."""
    keys = [tables.progress_key(job.import_id, piece) for piece in range(len(job.sizes))]
    found = {item["piece"]: item for item in database.batch(tables.stock(), keys, consistent=False)}
    return [_progress(job, piece, found.get(piece)) for piece in range(len(job.sizes))]


def _progress(job: Import, piece: int, item: Item | None) -> Progress:
    if item is None:
        return Progress(piece, [None] * job.sizes[piece])
    return Progress(piece, unpacked(item["outcomes"]), item["version"])


def keep(commit: Commit, job: Import, progress: Progress, otherwise: Callable[[], Exception]) -> None:
    """Store what became of rows, before everything else in *commit*: *otherwise* somebody else has stored more by now."""
    key = tables.progress_key(job.import_id, progress.piece)
    item = {"piece": progress.piece, "version": progress.version + 1, "outcomes": _packed(progress.outcomes)}
    unchanged = when("#version = :before", before=progress.version) if progress.version else absent()
    commit.first(tables.stock(), key | item, when=unchanged, otherwise=lambda _: otherwise())


def complete(job: Import, cause: Cause) -> None:
    """Store that nothing is left to do."""
    commit = Commit(cause)
    commit.update(
        tables.stock(),
        tables.import_key(job.import_id),
        change={"status": COMPLETED, "completed_at": clock.iso(cause.at)},
        remove=("listed", "listed_as"),
        when=when("#status = :running", running=RUNNING),
        otherwise=lambda _: _Exists({}),
    )
    try:
        commit.write()
    except _Exists:
        return  # another run was first


def overdue(at: datetime) -> list[str]:
    """Return the imports that should have ended by now, the latest last."""
    running = masters.listed([tables.IMPORTS_RUNNING], "", "", _MOST_RESUMED)
    return [tables.id_of(item) for item in running if item["listed_as"] <= clock.iso(at)]


def postpone(import_id: str, cause: Cause) -> None:
    """Have an import end by a later time, if it has not."""
    commit = Commit(cause)
    running = when("#status = :running", running=RUNNING)
    key = tables.import_key(import_id)
    commit.update(tables.stock(), key, change=_due(cause.at), when=running, otherwise=lambda _: _Exists({}))
    try:
        commit.write()
    except _Exists:
        return  # it has ended meanwhile


def _due(at: datetime) -> Item:
    return dict(tables.listed(tables.IMPORTS_RUNNING, clock.iso(at + _LATE_AFTER)))


def _import(item: Item) -> Import:
    fields = {name: item[name] for name in ("digest", "dry_run", "user_id", "trace_id", "created_at", "sizes", "status")}
    lines = list(accumulate(unpacked(item["lines"])))
    later: dict[str, Any] = {name: item.get(name) for name in ("user_name", "completed_at")}
    return Import(tables.id_of(item), roles=tuple(item["roles"]), lines=lines, **fields, **later)


def _packed(value: Any) -> bytes:
    return zlib.compress(jsontext.dumps(value).encode())


def unpacked(packed: bytes) -> Any:
    """Return what was stored deflated."""
    return jsontext.loads(zlib.decompress(packed))
