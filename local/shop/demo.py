"""Five real orders over HTTP, each to its own end, and a table of what became of them."""

from datetime import datetime

from rich import box
from rich.table import Table

from local import STATE, LocalError
from local.platform import emulator
from local.platform.stack import Stack
from local.process import console, step
from local.shop.client import Level
from local.shop.play import NO_ORDER, Outcome, play
from local.shop.shop import Article, Shop, open_shop
from local.shop.story import STOCK, STORIES, Story


def run(stack: Stack) -> None:
    """
    Play every story on *stack* and print the table.

    Raises:
        LocalError: an order did not end as it must; the message names the step and where its log is.
    """
    with step("arrange a warehouse, variants and stock"):
        shop = open_shop(stack, len(STORIES), STOCK)
    outcomes = [_watch(shop, story, article) for story, article in zip(STORIES, shop.articles, strict=True)]
    console.print(_table(outcomes), soft_wrap=False)
    console.print("One order's whole story, step by step (with OPEN=1: as a page, its saga drawn):")
    for outcome in (each for each in outcomes if each.order_id != NO_ORDER):
        console.print(f"  make trace ORDER={outcome.order_id}  [dim]# {outcome.story.title}")
    if failures := [f"order “{o.story.title}”: {o.failure} (order {o.order_id})" for o in outcomes if o.failure]:
        where = f"functions: `make logs`\nemulator: {emulator.log_path(STATE)}"
        raise LocalError("\n".join([*failures, where]))


def _watch(shop: Shop, story: Story, article: Article) -> Outcome:
    with console.status(story.title) as status:
        outcome = play(shop, story, article, lambda now: status.update(f"{story.title}: {now}"))
    console.print(f"{_mark(outcome)} order “{story.title}”")
    return outcome


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(box=box.ROUNDED, show_lines=True)
    for heading in ("order", "what happened", "saga path", "events", "stock"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        table.add_row(
            f"{outcome.story.title}\n[dim]{outcome.order_id[:8]}",
            f"{_mark(outcome)} {outcome.status}\n[dim]{outcome.story.told}",
            "\n".join(outcome.path),
            "\n".join(f"[dim]{_clock(event.occurred_at)}[/] {event.type}" for event in outcome.events),
            f"{_level(outcome.before)} → {_level(outcome.after)}",
        )
    return table


def _mark(outcome: Outcome) -> str:
    return "[red]✗[/]" if outcome.failure else "[green]✓[/]"


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S.%f")[:-3]


def _level(level: Level | None) -> str:
    return "?" if level is None else f"{level.on_hand}" + (f" ({level.reserved} reserved)" if level.reserved else "")
