"""DELETE /v1/service-tokens/{id}: let a service's token open nothing any more."""

from tillflow.contexts.identity import machines
from tillflow.contexts.identity.machines import CredentialNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("DELETE /v1/service-tokens/{id}", answers={204: None}, refuses=[CredentialNotFound])
def revoke_service_token(request: Request) -> None:
    """Answer 204. Where it opened a route before, it is refused from now on."""
    machines.revoke(machines.SERVICE, machines.STACK, request.path["id"], request.cause())


handler = api.handler
