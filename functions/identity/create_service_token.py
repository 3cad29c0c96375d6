"""POST /v1/service-tokens: make a token for a service, with a name and scopes of its own."""

from tillflow.contexts.identity import machines
from tillflow.contexts.identity.answers import NewServiceToken
from tillflow.contexts.identity.models import CreateServiceToken
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route("POST /v1/service-tokens", body=CreateServiceToken, answers={201: NewServiceToken}, refuses=[FreshLoginRequired])
def create_service_token(request: Request) -> Reply:
    """
    Answer 201 and the token, to be sent as `X-Service-Token`: it is shown this once.

    Whose answer was lost finds it in the list, never used, and revokes it.
    """
    request.caller.require_fresh_login()
    wanted = request.body(CreateServiceToken)
    machine, text = machines.issue(machines.SERVICE, machines.STACK, wanted.name, wanted.scopes, request.cause())
    return Reply(201, machines.present(machine) | {"token": text})


handler = api.handler
