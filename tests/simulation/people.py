"""Those who use the shop: each does what is written, asks again when no answer comes, and remembers what was said."""

from typing import Any

from tests.faults import passing
from tests.simulation.cloud import Cloud
from tests.simulation.scene import Action, Announcement, Request, Sent

_SERVER_ERROR = 500


class People:
    """Everybody, on one *cloud*; *history* is every request that was sent, in the order of time."""

    def __init__(self, cloud: Cloud) -> None:
        self.history: list[Sent] = []
        self._cloud = cloud
        self._fate = cloud.fate

    def will(self, action: Action) -> None:
        """Have *action* happen at its time."""
        wait = action.at - passing.waited()
        if isinstance(action.what, Announcement):
            what = action.what
            self._cloud.scheduler.after(wait, lambda: self._announce(action.number, what))
        else:
            request = action.what
            self._cloud.scheduler.after(wait, lambda: self._send(action, request, "a", 1))
            if action.twice is not None:
                self._cloud.scheduler.after(wait + action.twice, lambda: self._send(action, request, "b", 1))

    def _announce(self, number: int, what: Announcement) -> None:
        self._fate.note(f"{number} {what}")
        self._cloud.to_bus(what.source, what.kind, dict(what.envelope))

    def _send(self, action: Action, request: Request, hand: str, attempt: int) -> None:
        label = f"{action.number}{hand}{attempt}"
        self._fate.note(f"{label} {request}")
        sent = Sent(action.number, request, passing.waited())
        self.history.append(sent)

        def told(answer: dict[str, Any] | None) -> None:
            sent.hear(answer)
            self._fate.note(f"{label} is told {sent}")
            if (sent.status or _SERVER_ERROR) >= _SERVER_ERROR and attempt < action.tries:
                pause = self._fate.dice(f"pause after {label}").uniform(0.1, 5)
                self._cloud.scheduler.after(pause, lambda: self._send(action, request, hand, attempt + 1))

        self._cloud.request(request, label, told)
