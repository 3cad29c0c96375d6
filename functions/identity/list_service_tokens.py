"""GET /v1/service-tokens: the services' tokens, without their secrets."""

from tillflow.contexts.identity import machines
from tillflow.contexts.identity.answers import ServiceTokenList
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("GET /v1/service-tokens", answers={200: ServiceTokenList})
def list_service_tokens(_request: Request) -> dict[str, object]:
    """Answer those that are not revoked, newest first. One that was made a moment ago may be missing."""
    return {"items": [machines.present(each) for each in machines.list_live(machines.SERVICE, machines.STACK)]}


handler = api.handler
