"""Tokens: who gets one issued, what it is good for, and what is learned about one that is not."""

import base64
import hashlib
import hmac
import json
import time
from uuid import uuid4

import httpx
import jwt
import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Json, Scene, refused, unique
from tillflow.contexts.identity.tables import session_key, user_key
from tillflow.storage.attributes import to_item

WANTED: Json = {"userId": "user-1", "roles": ["buyer"], "ttlSeconds": 3600}


def issue(scene: Scene, headers: dict[str, str], **more: object) -> httpx.Response:
    return scene.anonymous.post("/api/auth/token", json=WANTED | more, headers=headers)


def introspect(scene: Scene, token: object) -> Json:
    answer = scene.service.post("/api/auth/introspect", {"token": token})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def craft(secret: str, **claims: object) -> str:
    """Return a token as the service itself would sign it."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{payload}.{signature}"


def signing_secret(behind: Behind) -> str:
    arn = behind.physical_id("TokenSigningSecret")
    return str(behind.aws.secretsmanager.get_secret_value(SecretId=arn)["SecretString"])


def test_a_service_gets_a_token_for_a_user(scene: Scene) -> None:
    answer = scene.service.post("/api/auth/token", WANTED)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"token", "tokenType", "expiresIn"}
    assert (body["tokenType"], body["expiresIn"]) == ("Bearer", 3600)
    payload, signature = body["token"].split(".")
    assert payload
    assert signature


def test_an_admin_gets_a_token_for_a_user(scene: Scene) -> None:
    answer = scene.admin.post("/api/auth/token", WANTED)
    assert answer.status_code == 200


def test_without_a_credential_there_is_no_token(scene: Scene) -> None:
    """The emulator answers API Gateway's own 401 (`{"message"}`); AWS takes our GatewayResponse's body."""
    assert issue(scene, {}).status_code == 401


@pytest.mark.parametrize("role", ["buyer", "seller", "manager", "operator"])
def test_nobody_else_gets_a_token(scene: Scene, role: str) -> None:
    refused(scene.caller(role).post("/api/auth/token", WANTED | {"roles": ["admin"]}), 403)
    refused(scene.caller(role).post("/api/auth/introspect", {"token": "a.b"}), 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Service-Token": "guess"},
        {"X-Service-Token": ""},
        {"Authorization": "Bearer guess"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic Z3Vlc3M6Z3Vlc3M="},
        {"X-Api-Key": "guess"},
    ],
    ids=str,
)
def test_a_wrong_credential_is_no_credential(scene: Scene, headers: dict[str, str]) -> None:
    assert issue(scene, headers).status_code == 401


def test_the_service_token_is_no_bearer_token(scene: Scene) -> None:
    assert issue(scene, {"Authorization": f"Bearer {scene.stack.service_token}"}).status_code == 401


@pytest.mark.parametrize("seconds", [60, 86_400])
def test_a_token_may_live_for_a_minute_to_a_day(scene: Scene, seconds: int) -> None:
    answer = scene.service.post("/api/auth/token", WANTED | {"ttlSeconds": seconds})
    assert answer.status_code == 200
    told = introspect(scene, answer.json()["token"])
    assert told["expiresAt"] - told["issuedAt"] == seconds == answer.json()["expiresIn"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttlSeconds": 59},
        {"ttlSeconds": 86_401},
        {"ttlSeconds": 0},
        {"ttlSeconds": -1},
        {"ttlSeconds": "60"},
        {"ttlSeconds": 60.5},
        {"roles": ["emperor"]},
        {"roles": []},
        {"roles": "buyer"},
        {"roles": ["buyer"] * 50},
        {"userId": ""},
        {"userId": "x" * 129},
        {"userId": "new\nline"},
        {"userId": None},
    ],
    ids=str,
)
def test_a_wish_that_makes_no_sense_is_refused(scene: Scene, wrong: Json) -> None:
    refused(scene.service.post("/api/auth/token", WANTED | wrong), 422)


def test_introspection_tells_what_a_valid_token_says(scene: Scene) -> None:
    token = scene.token("user-7", "buyer", "seller")
    told = introspect(scene, token)
    assert told.keys() == {"active", "userId", "roles", "issuedAt", "expiresAt"}
    assert (told["active"], told["userId"], told["roles"]) == (True, "user-7", ["buyer", "seller"])
    assert told["issuedAt"] <= time.time() < told["expiresAt"]


def test_introspection_tells_nothing_of_a_token_that_is_not_valid(scene: Scene, behind: Behind) -> None:
    payload, signature = scene.token(unique("user"), "buyer").split(".")
    promoted = (
        base64.urlsafe_b64encode(base64.urlsafe_b64decode(payload + "==").replace(b"buyer", b"admin")).rstrip(b"=").decode()
    )
    now, secret = int(time.time()), signing_secret(behind)
    valid = {"sub": "user-1", "roles": ["buyer"], "iat": now - 120, "exp": now + 60}
    assert introspect(scene, craft(secret, **valid))["active"]
    worthless = {
        "tampered": f"{promoted}.{signature}",
        "cut": f"{payload}.{signature[:-2]}",
        "unsigned": f"{payload}.",
        "bare": payload,
        "expired": craft(secret, **valid | {"exp": now - 1}),
        "foreign": craft("another-secret", **valid),
        "no token": "garbage",
        "a JWT's shape": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        "empty": "",
        "odd text": "\u00e9\u0000\U0001f642.\U0001f642",
    }
    assert {name: introspect(scene, token) for name, token in worthless.items()} == {
        name: {"active": False} for name in worthless
    }


def test_a_token_that_is_not_valid_opens_no_door(scene: Scene, behind: Behind) -> None:
    now = int(time.time())
    expired = craft(signing_secret(behind), sub="user-1", roles=["admin"], iat=now - 120, exp=now - 1)
    foreign = craft("another-secret", sub="user-1", roles=["admin"], iat=now, exp=now + 60)
    for token in (expired, foreign):
        answer = scene.anonymous.get("/api/stocks/release-events", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


# --- services' own tokens, and sessions ---------------------------------------------------------------------------


def test_a_service_has_a_token_of_its_own_until_it_is_revoked(scene: Scene) -> None:
    made = scene.admin.post("/v1/service-tokens", {"name": "checkout", "scopes": ["tokens:issue"]})
    assert made.status_code == 201, made.text
    own = {"X-Service-Token": made.json()["token"]}
    scene.tokens.append(made.json()["token"])

    assert issue(scene, own).status_code == 200
    refused(scene.anonymous.post("/api/auth/introspect", json={"token": "a.b"}, headers=own), 403)
    listed = scene.admin.get("/v1/service-tokens").json()["items"]
    assert [each["last_used_at"] is not None for each in listed if each["id"] == made.json()["id"]] == [True]

    assert scene.admin.http.delete(f"/v1/service-tokens/{made.json()['id']}").status_code == 204
    assert issue(scene, own).status_code == 401
    assert introspect(scene, own["X-Service-Token"]) == {"active": False}


@pytest.mark.parametrize("role", ["buyer", "seller", "manager", "operator"])
def test_nobody_else_makes_a_service_s_token(scene: Scene, role: str) -> None:
    refused(scene.caller(role).post("/v1/service-tokens", {"name": "checkout", "scopes": ["tokens:issue"]}), 403)
    refused(scene.caller(role).get("/v1/service-tokens"), 403)


def test_a_session_s_token_opens_routes_while_the_session_lives(scene: Scene, behind: Behind) -> None:
    user_id, session_id, now = str(uuid4()), str(uuid4()), int(time.time())
    user = {"name": "Ada", "disabled": False, "epoch": 1, "roles": ["operator"]}
    session = {
        "epoch": 1,
        "current": 1,
        "previous": 0,
        "rotated_at": now * 1000,
        "authenticated_at": now,
        "expires_at": now + 600,
    }
    for key, item in ((user_key(user_id), user), (session_key(user_id, session_id), session)):
        behind.aws.dynamodb.put_item(TableName=scene.stack.tables["IdentityTable"], Item=to_item(key | item))
    variables = scene.stack.variables("AuthorizeFunction")
    secret = behind.aws.secretsmanager.get_secret_value(SecretId=variables["ACCESS_KEY_SECRET_ARN"])["SecretString"]
    key = json.loads(secret)["keys"][0]
    issuer = variables["TOKEN_ISSUER"]
    claims = {"iss": issuer, "aud": f"{issuer}:access", "sub": user_id, "sid": session_id, "jti": "1", "roles": []}
    token = jwt.encode(claims | {"iat": now, "exp": now + 600}, key["pem"], "ES256", {"typ": "at+jwt", "kid": key["kid"]})
    published = scene.anonymous.get("/.well-known/jwks.json").json()
    assert jwt.PyJWKSet.from_dict(published)[key["kid"]]

    scene.tokens.append(token)
    caller = scene.connect({"Authorization": f"Bearer {token}"})
    cancel = f"/api/orders/{uuid4()}/cancel"
    assert introspect(scene, token)["roles"] == ["operator"]
    assert caller.get("/api/v1/warehouses").status_code == 200
    assert caller.post(cancel, json={}).status_code == 404

    revoked = session_key(user_id, session_id) | session | {"revoked_at": "2026-03-01T00:00:00.000Z"}
    behind.aws.dynamodb.put_item(TableName=scene.stack.tables["IdentityTable"], Item=to_item(revoked))

    # At once where it hurts; elsewhere within a minute.
    assert caller.post(cancel, json={}).status_code == 401
    assert introspect(scene, token) == {"active": False}
