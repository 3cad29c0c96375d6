"""DELETE /api/v1/producers/{id}/keys/{keyId}: let an API key open nothing any more."""

from tillflow.contexts.identity import machines
from tillflow.contexts.identity.machines import CredentialNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("DELETE /api/v1/producers/{id}/keys/{keyId}", answers={204: None}, refuses=[CredentialNotFound])
def revoke_key(request: Request) -> None:
    """Answer 204. The next request with this key is refused."""
    machines.revoke(machines.API_KEY, request.path["id"], request.path["keyId"], request.cause())


handler = api.handler
