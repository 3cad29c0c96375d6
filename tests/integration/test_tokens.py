"""Tokens: who gets one issued, what it is good for, and what is learned about one that is not."""

import base64
import hashlib
import hmac
import json
import time

import httpx
import pytest

from tests.integration.behind import Behind
from tests.integration.scene import Json, Scene, refused, unique

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
