"""A state machine drawn: its states as boxes in rows, and those that a run visited marked, as Step Functions' console does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Any

from local.watch import logs
from local.watch.trace import Run, Visit

BOX_WIDTH, BOX_HEIGHT = 152, 46
COLUMN, ROW = 182, 84
MARGIN = 30
LONGEST = 24

type Json = Mapping[str, Any]


class Mark(StrEnum):
    """What became of a state in a run."""

    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    NONE = "none"


@dataclass(frozen=True)
class Edge:
    """A way from one state to another; a *caught* one is taken on failure, an *aside* one leaves the straight way."""

    source: str
    target: str
    caught: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Box:
    """A state at *x*, *y* (its upper left corner), with what it is and did in a line, and *about* it in full."""

    state: str
    x: int
    y: int
    mark: Mark
    order: int | None
    kind: str
    line: str
    about: str
    starts: bool
    ends: bool


@dataclass(frozen=True)
class Line:
    """An edge as an SVG *path*."""

    path: str
    caught: bool
    taken: bool


@dataclass(frozen=True)
class Drawing:
    """A run of a state machine, in pixels; what was taken lies above what was not."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]


def draw(machine: Json, run: Run) -> Drawing:
    """Return *machine* (Amazon States Language, without loops) with what *run* visited."""
    edges = list(edges_of(machine))
    places = places_of(machine, edges)
    visited = {visit.state: (order, visit) for order, visit in enumerate(run.visits, 1)}
    taken = set(pairwise(visit.state for visit in run.visits))
    boxes = [_box(machine, name, *places[name], *visited.get(name, (None, None))) for name in machine["States"]]
    lines = [
        Line(_path(places[each.source], places[each.target]), each.caught, (each.source, each.target) in taken) for each in edges
    ]
    return Drawing(
        width=max(x for x, _ in places.values()) + BOX_WIDTH + MARGIN,
        height=max(y for _, y in places.values()) + BOX_HEIGHT + MARGIN,
        boxes=boxes,
        lines=sorted(lines, key=lambda line: line.taken),
    )


def edges_of(machine: Json) -> Iterator[Edge]:
    """Yield every way from one state to another."""
    for name, state in machine["States"].items():
        if "Next" in state:
            yield Edge(name, state["Next"])
        for number, choice in enumerate(state.get("Choices", ())):
            yield Edge(name, choice["Next"], aside=number > 0)
        if "Default" in state:
            yield Edge(name, state["Default"], aside=True)
        for catch in state.get("Catch", ()):
            yield Edge(name, catch["Next"], caught=True, aside=True)


def places_of(machine: Json, edges: Sequence[Edge]) -> dict[str, tuple[int, int]]:
    """Return where each state's box is: below all that lead to it, and further right with each way that leaves the straight."""
    columns, rows = {machine["StartAt"]: 0}, dict.fromkeys(machine["States"], 0)
    before = {name: [edge for edge in edges if edge.target == name] for name in machine["States"]}
    for name in TopologicalSorter({name: [edge.source for edge in its] for name, its in before.items()}).static_order():
        if its := before[name]:
            rows[name] = 1 + max(rows[edge.source] for edge in its)
            columns[name] = min(columns[edge.source] + edge.aside for edge in its)
    taken = set[tuple[int, int]]()
    # Nothing hangs on where a machine ends: that is what makes room.
    for name in sorted(machine["States"], key=lambda name: _ends(machine["States"][name])):
        while (columns[name], rows[name]) in taken:
            columns[name] += 1
        taken.add((columns[name], rows[name]))
    return {name: (MARGIN + COLUMN * columns[name], MARGIN + ROW * rows[name]) for name in machine["States"]}


def _ends(state: Json) -> bool:
    return state.get("End", False) or state["Type"] in {"Succeed", "Fail"}


def _box(machine: Json, name: str, x: int, y: int, order: int | None, visit: Visit | None) -> Box:
    state = machine["States"][name]
    mark, line, about = Mark.NONE, state["Type"], [state.get("Comment", "")]
    if visit and visit.error:
        mark, line = Mark.FAILED, logs.short(visit.error, LONGEST)
        about += [visit.error, visit.cause]
    elif visit and visit.exited:
        mark, line = Mark.DONE, f"{(visit.exited - visit.entered).total_seconds():.3f} s"
    elif visit:
        mark, line = Mark.RUNNING, "not left"
    about_it = "\n".join(filter(None, about))
    return Box(name, x, y, mark, order, state["Type"], line, about_it, name == machine["StartAt"], _ends(state))


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    """Return the way from a box to one below it: straight down, or out at its side."""
    (from_x, from_y), (to_x, to_y) = source, target
    middle = to_x + BOX_WIDTH // 2
    if from_x == to_x:
        return f"M {middle} {from_y + BOX_HEIGHT} V {to_y}"
    side, height = from_x + BOX_WIDTH * (to_x > from_x), from_y + BOX_HEIGHT // 2
    return f"M {side} {height} C {middle} {height} {middle} {height} {middle} {min(height + ROW // 2, to_y)} V {to_y}"
