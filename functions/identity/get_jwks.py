"""GET /.well-known/jwks.json: the public keys of access tokens, for whoever wants to verify them."""

from tillflow.contexts.identity import jwks
from tillflow.contexts.identity.answers import Jwks
from tillflow.web.http import Api, Headed
from tillflow.web.request import Request

api = Api()


@api.route("GET /.well-known/jwks.json", answers={200: Jwks})
def get_jwks(_request: Request) -> Headed:
    """Answer a JWK Set (RFC 7517), newest key first. It may be kept for five minutes: a key is here before it signs."""
    return Headed({"keys": jwks.of(jwks.ACCESS)}, {"Cache-Control": f"public, max-age={jwks.KEPT_SECONDS}"})


handler = api.handler
