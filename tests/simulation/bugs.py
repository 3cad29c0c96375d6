"""Bugs that are not in the product: the simulator must find each. A line of a function is another, and nobody has noticed."""

import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

import pytest

from tests.world import handler
from tillflow.contexts.order_saga import resume
from tillflow.contexts.order_saga import service as saga
from tillflow.contexts.orders import service as orders
from tillflow.contexts.payments import service as payments
from tillflow.contexts.stock import listing, projection, store
from tillflow.messaging import consumer, outbox
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Idempotency


@dataclass(frozen=True, slots=True)
class Bug:
    """
    In the function *name* of *owner* (a module or class), the text *old* is *new*.

    What shows it is rare in a whole day where it needs two of few commands: then the days have those alone that *among* matches.
    """

    what: str
    owner: Any
    name: str
    old: str
    new: str
    among: str = ""

    def put(self, patch: pytest.MonkeyPatch) -> None:
        """Put the bug in until *patch* ends."""
        function: Any = getattr(self.owner, self.name)
        function = function.fget if isinstance(function, property) else function
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(self.old) == 1, f"{self.name} no longer has this once: {self.old}"
        made: dict[str, Any] = {}
        exec(source.replace(self.old, self.new), vars(inspect.getmodule(function)), made)  # noqa: S102 - it is our own code
        patch.setattr(self.owner, self.name, made[self.name])
        handler.cache_clear()


BUGS = [
    Bug(
        "every send of a transaction is another one",
        Commit,
        "_send_transaction",
        'client = aws.client("dynamodb")\n',
        'self._token, client = ids.new(), aws.client("dynamodb")\n',
    ),
    Bug(
        "a commit does not know itself when its answer was lost",
        Commit,
        "_send_one",
        'found.get("commit_token") == self._token',
        "False",
        "create",
    ),
    Bug("a key is everybody's", Idempotency, "_key", r"{self.operation}\n{self.caller}\n", r"{self.operation}\n"),
    Bug("a refusal is not looked at twice", Idempotency, "run", "except Refusal:", "except ZeroDivisionError:"),
    Bug("more is sold than there is", store, "move", "if line.quantity < 0", "if line.quantity < -1"),
    Bug("a reservation is turned whatever it is by now", store, "turn", 'when("#status = :before", before=before)', "always()"),
    Bug("each attempt to charge is another charge", payments.Bill, "request", "(self.order_id, self", "(ids.new(), self"),
    Bug("a refund is written down, not made", payments, "refund", '_take_back(bill, found["reference"])', "pass"),
    Bug("a canceled order is not undone", saga, "fail_order", "return had != CONFIRMED", "return False"),
    Bug(
        "what the bus did not take is taken for published",
        outbox,
        "_put",
        'if not answer["FailedEntryCount"]',
        "if answer",
        "order|card",
    ),
    Bug("a message that failed is done with", consumer, "batch_consumer", "for each in failed", "for each in ()"),
    Bug(
        "an order that was started again is not looked at again",
        resume,
        "resume_overdue",
        "aws.client",
        "_ = lambda **_: aws.client",
    ),
    Bug(
        "what was just recorded is not listed yet",
        listing.Listing,
        "__init__",
        "if wanted.finds(item)",
        "if not item",
        "movements|stock",
    ),
    Bug("an event is no longer recent, and not listed yet", projection, "project", "batch.put(tables.movements(), ", "list("),
    Bug("whoever cancels is told it was them", orders, "cancel", "!= (clock.iso(cause.at), reason)", "== 0", "one line|cancel"),
]
