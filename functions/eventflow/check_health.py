"""GET /api/v1/health: whether events can be taken in and delivered."""

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.answers import Health
from tillflow.storage import readiness
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import Request

# What is read of each table: nobody has put it there, and this function may read nothing else (template.yaml).
_PROBE = "readiness"

api = Api()


@api.route("GET /api/v1/health", answers={200: Health, 503: Health})
def check_health(_request: Request) -> Reply:
    """Answer 200 and `UP`, or 503 and `DOWN`, as it was in the last five seconds: anybody may ask."""
    answers = readiness.check(
        {
            "events": (tables.events(), tables.event_key(_PROBE)),
            "eventflow": (tables.eventflow(), tables.producer_key(_PROBE)),
        }
    )
    is_up = all(answers.values())
    return Reply(200 if is_up else 503, {"status": "UP" if is_up else "DOWN"})


handler = api.handler
