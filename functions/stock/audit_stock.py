"""Every night, and when asked (`make audit`): is every level of stock what the ledger adds up to."""

from typing import Any

from tillflow.contexts.orders import service as orders
from tillflow.contexts.stock.audit import Audit, Wanted
from tillflow.errors import Unavailable
from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """
    Return what was found (audit.py); of everything, if the event has `{"everything": true}` (`anew`, `repair`, `place`).

    Raises:
        Unavailable: on schedule, not everything was looked at; invoked again, it goes on.
    """
    begin(context)
    place = event.get("place")
    everything = event.get("everything") is True
    wanted = Wanted(everything, event.get("anew") is True, event.get("repair") is True, tuple(place) if place else None)
    found = Audit(wanted, orders.unsettled).run()
    numbers = {name: found[name] for name in ("auditId", "lookedAt", "proven", "found", "repaired", "finished")}
    logger.info("audited", extra=numbers | {"unproven": len(found["unproven"])})
    if not (everything or found["finished"]):
        raise Unavailable("There was no time to look at all that has changed. Invoke it again, and it goes on.")
    return found
