"""Tokens: what is signed is believed, until it expires; nothing else is, and why is not told."""

import base64
import json
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ConnectTimeoutError

from tests.world import SECRETS, SERVICE_TOKEN, World
from tillflow.contexts.identity import rules, service
from tillflow.contexts.identity.rules import Token
from tillflow.errors import Invalid, Unauthorized, Unavailable
from tillflow.runtime import aws, secrets
from tillflow.values import clock
from tillflow.web.authorization import ROUTES, Role, credentials_of
from tillflow.web.request import Request

SECRET = b"secret"
TOKEN = Token("user-1", ("buyer", "seller"), 1_000, 2_000)
TEXT = rules.issue(TOKEN, SECRET)
PAYLOAD, SIGNATURE = TEXT.split(".")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(payload: str, secret: bytes = SECRET) -> str:
    return f"{payload}.{rules._signature(payload, secret)}"  # noqa: SLF001 - a forger who has the secret


# --- rules --------------------------------------------------------------------------------------------------------


def test_a_token_is_payload_dot_signature_in_base64url_without_padding() -> None:
    assert TEXT.count(".") == 1
    assert "=" not in TEXT
    assert json.loads(base64.urlsafe_b64decode(PAYLOAD + "==")) == {
        "sub": "user-1",
        "roles": ["buyer", "seller"],
        "iat": 1_000,
        "exp": 2_000,
    }


def test_what_was_issued_is_read_until_it_expires() -> None:
    assert rules.read(TEXT, SECRET, 1_000) == TOKEN
    assert rules.read(TEXT, SECRET, 1_999) == TOKEN
    assert rules.read(TEXT, SECRET, 2_000) is None


def test_another_secret_reads_nothing() -> None:
    assert rules.read(TEXT, b"other", 1_000) is None


@pytest.mark.parametrize("position", range(0, len(TEXT), 7))
def test_no_character_can_be_changed(position: int) -> None:
    other = "A" if TEXT[position] != "A" else "B"

    assert rules.read(TEXT[:position] + other + TEXT[position + 1 :], SECRET, 1_000) is None


def test_a_longer_life_needs_a_new_signature() -> None:
    claims = {"sub": "user-1", "roles": ["admin"], "iat": 1_000, "exp": 9_999}

    assert rules.read(f"{encoded(claims)}.{SIGNATURE}", SECRET, 1_000) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        PAYLOAD,
        f"{PAYLOAD}.",
        f".{SIGNATURE}",
        f"{TEXT}.",
        f"{TEXT}=",
        f" {TEXT}",
        f"{TEXT}\n",
        f"{PAYLOAD}.{SIGNATURE}.{SIGNATURE}",
        f"{SIGNATURE}.{PAYLOAD}",
        "\x00",
        "\ud800.\udfff",
        "🛒.🛒",
        "x" * 100_000,
        # JWTs that ask to be believed without a key, or under another algorithm
        f"{encoded({'alg': 'none'})}.{encoded({'sub': 'admin', 'roles': ['admin'], 'iat': 1, 'exp': 9_999})}.",
        f"{encoded({'alg': 'HS256'})}.{PAYLOAD}.{SIGNATURE}",
    ],
    ids=lambda text: text[:20],
)
def test_odd_text_is_no_token(text: str) -> None:
    assert rules.read(text, SECRET, 1_000) is None


@pytest.mark.parametrize(
    "claims",
    [
        None,
        [],
        "text",
        {},
        {"sub": "u", "roles": [], "iat": 1},
        {"sub": "u", "roles": None, "iat": 1, "exp": 9_999},
    ],
    ids=str,
)
def test_a_signed_payload_that_is_no_token_is_none(claims: object) -> None:
    assert rules.read(signed(encoded(claims)), SECRET, 1_000) is None


@pytest.mark.parametrize("payload", ["", "a", "!!!!", "bm90IGpzb24", "\ud800"])
def test_a_signed_payload_that_is_no_json_is_none(payload: str) -> None:
    assert rules.read(signed(payload), SECRET, 1_000) is None


# --- issuing and introspecting over HTTP --------------------------------------------------------------------------


def issue(world: World, *, roles: tuple[str, ...] = ("service",), **body: Any) -> Any:
    return world.call("POST /api/auth/token", roles=roles, body={"userId": "user-1", "roles": ["buyer"]} | body)


def introspect(world: World, token: str) -> Any:
    return world.call("POST /api/auth/introspect", roles=["admin"], body={"token": token}).json


def test_an_issued_token_is_active_and_says_what_was_asked(world: World) -> None:
    issued = issue(world, roles=("admin",), userId="Ünïcode 🛒", ttlSeconds=60).json

    told = introspect(world, issued["token"])

    assert (issued["tokenType"], issued["expiresIn"]) == ("Bearer", 60)
    assert (told["active"], told["userId"], told["roles"]) == (True, "Ünïcode 🛒", ["buyer"])
    assert told["expiresAt"] - told["issuedAt"] == 60


def test_an_hour_is_the_life_of_a_token_that_asks_for_none(world: World) -> None:
    assert issue(world).json["expiresIn"] == 3600


@pytest.mark.parametrize("seconds", [60, 86_400])
def test_the_bounds_of_a_token_s_life_are_within(world: World, seconds: int) -> None:
    assert issue(world, ttlSeconds=seconds).status == 200


@pytest.mark.parametrize("seconds", [59, 86_401, 0, -1, 1e3, "60", None, True, 10**400])
def test_a_life_out_of_bounds_is_refused(world: World, seconds: object) -> None:
    assert issue(world, ttlSeconds=seconds).status == 422


@pytest.mark.parametrize("role", Role)
def test_every_role_can_be_given(world: World, role: Role) -> None:
    answer = world.call("POST /api/auth/token", roles=["service"], body={"userId": "u", "roles": [role]})

    assert introspect(world, answer.json["token"])["roles"] == [role]


@pytest.mark.parametrize("given", [[], ["root"], ["Admin"], "admin", [1], [None], ["buyer"] * 7, None])
def test_a_role_that_does_not_exist_is_refused(world: World, given: object) -> None:
    answer = world.call("POST /api/auth/token", roles=["service"], body={"userId": "u", "roles": given})

    assert answer.status == 422


@pytest.mark.parametrize("user", ["", "u" * 129, "a\nb", "a\x00", 1, None])
def test_a_user_id_that_no_log_or_header_should_hold_is_refused(world: World, user: object) -> None:
    assert issue(world, userId=user).status == 422


BLANKS = ["   ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2800", "\u3164"]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_user_id_that_cannot_be_seen_is_refused_and_so_is_one_whose_end_cannot(world: World, blank: str) -> None:
    for user in (blank, f"{blank}user-1", f"user-1{blank}"):
        assert issue(world, userId=user).status == 422, ascii(user)

    assert issue(world, userId=f"user{blank}1").status == 200


def test_half_of_a_character_is_no_user_id(world: World) -> None:
    body = '{"userId": "\\ud800", "roles": ["buyer"]}'

    assert world.call("POST /api/auth/token", roles=["service"], body=body).status == 422


@pytest.mark.parametrize("user", ["u", "u" * 128, "a b", "\u05d0\u05d1", "用户", "🛒", "1", "-", "o'hara@example.com"], ids=ascii)
def test_any_other_name_is_a_user_id(world: World, user: str) -> None:
    assert introspect(world, issue(world, userId=user).json["token"])["userId"] == user


@pytest.mark.parametrize("text", ["", "payload.signature", "x" * 8192, "🛒.🛒", TEXT])
def test_introspection_of_anything_else_tells_nothing_more(world: World, text: str) -> None:
    assert introspect(world, text) == {"active": False}


def test_an_expired_token_is_not_active(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue(world, ttlSeconds=60).json["token"]
    later = clock.now() + timedelta(seconds=60)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert introspect(world, token) == {"active": False}


# --- credentials --------------------------------------------------------------------------------------------------


def authorize(world: World, route: str = "POST /api/auth/token", **headers: str) -> Any:
    method, resource = route.split()
    arn = f"arn:aws:execute-api:us-east-1:1:api/prod/{method}{resource}"
    return world.invoke("identity/authorize", {"methodArn": arn, "httpMethod": method, "resource": resource, "headers": headers})


def test_a_bearer_token_lets_its_user_in(world: World) -> None:
    token = issue(world).json["token"]
    answer = authorize(world, "GET /api/orders/{orderId}", Authorization=f"Bearer {token}")

    assert answer["principalId"] == "user-1"
    assert answer["context"] == {
        "userId": "user-1",
        "roles": "buyer",
        "expiresAt": str(introspect(world, token)["expiresAt"]),
        "authenticatedAt": str(introspect(world, token)["issuedAt"]),
    }
    (statement,) = answer["policyDocument"]["Statement"]
    # API Gateway keeps the answer for this credential, whichever route is asked next.
    assert statement["Resource"] == "arn:aws:execute-api:us-east-1:1:api/prod/*"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("header", ["Authorization", "authorization", "AUTHORIZATION"])
def test_neither_the_header_s_nor_the_scheme_s_case_matters(world: World, scheme: str, header: str) -> None:
    token = service.issue_token("user-1", ("buyer",), 60)

    assert authorize(world, **{header: f"{scheme}  {token}"})["principalId"] == "user-1"


def test_the_service_token_lets_the_service_in(world: World) -> None:
    assert authorize(world, **{"X-Service-Token": SERVICE_TOKEN})["context"] == {"userId": "service", "roles": "service"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer payload.signature"},
        {"Authorization": TEXT},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {SERVICE_TOKEN}"},
        {"Authorization": "Bearer \ud800.\ud800"},
        {"X-Service-Token": ""},
        {"X-Service-Token": SERVICE_TOKEN[:-1]},
        {"X-Service-Token": "\ud800"},
        {"X-Api-Key": "anything"},
        # A bad bearer token is not made good by a service token beside it: one credential, one answer.
        {"Authorization": "Bearer payload.signature", "X-Service-Token": SERVICE_TOKEN},
    ],
    ids=str,
)
def test_every_other_credential_is_unauthorized(world: World, headers: dict[str, str]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, **headers)


@pytest.mark.parametrize("beside", [{}, {"Authorization": "Basic dXNlcjpwYXNz"}, {"X-Api-Key": "anything"}], ids=str)
def test_the_service_token_opens_only_routes_whose_answers_are_not_kept_under_another_header(
    world: World, beside: dict[str, str]
) -> None:
    # What the Bearer authorizer answers is kept under the Authorization header, and holds for whoever sends that alone.
    headers = {"X-Service-Token": SERVICE_TOKEN} | beside

    assert authorize(world, **headers)["principalId"] == "service"
    for route in (each for each in ROUTES if "x-service-token" not in credentials_of(each)):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            authorize(world, route, **headers)


def test_a_kept_answer_does_not_outlive_its_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = authorize(world, Authorization=f"Bearer {service.issue_token('user-1', ('buyer',), 60)}")
    request = Request.of({"requestContext": {"authorizer": answer["context"]}}, Invalid)
    assert request.caller.user_id == "user-1"

    later = clock.now() + timedelta(seconds=60)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(Unauthorized):
        _ = request.caller


@pytest.mark.parametrize("headers", [None, {}])
def test_a_request_without_headers_is_unauthorized(world: World, headers: object) -> None:
    event = {"methodArn": "a/b/c", "httpMethod": "GET", "resource": "/nowhere", "headers": headers}

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        world.invoke("identity/authorize", event)


# --- secrets ------------------------------------------------------------------------------------------------------


def rotate(world: World, name: str, value: str) -> None:
    aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns[name], SecretString=value)
    secrets.forget()


def test_what_was_signed_before_a_rotation_is_valid_and_new_tokens_are_signed_anew(world: World) -> None:
    before = issue(world).json["token"]
    rotate(world, "TokenSigningSecret", "new")
    after = issue(world).json["token"]

    assert introspect(world, before)["active"]
    assert introspect(world, after)["active"]
    assert rules.read(after, b"new", 0)
    assert rules.read(before, SECRETS["TokenSigningSecret"].encode(), 0)


def test_after_two_rotations_it_is_not(world: World) -> None:
    token = issue(world).json["token"]
    rotate(world, "TokenSigningSecret", "new")
    rotate(world, "TokenSigningSecret", "newer")

    assert introspect(world, token) == {"active": False}


def test_the_service_token_can_be_rotated(world: World) -> None:
    rotate(world, "ServiceTokenSecret", "next")

    assert authorize(world, **{"X-Service-Token": SERVICE_TOKEN})["principalId"] == "service"
    assert authorize(world, **{"X-Service-Token": "next"})["principalId"] == "service"


def test_a_rotation_is_noticed_where_a_credential_fits_nothing_that_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    with pytest.raises(Exception, match="Unauthorized"):
        authorize(world, **{"X-Service-Token": "garbage"})  # there is no previous version, and that is kept too
    arn = world.secret_arns["ServiceTokenSecret"]
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="next")

    now += 10
    assert authorize(world, **{"X-Service-Token": "next"})["principalId"] == "service"
    for _ in range(60):
        now += 10
        assert authorize(world, **{"X-Service-Token": SERVICE_TOKEN})["principalId"] == "service"


def test_what_was_good_stays_so_while_the_secret_store_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    token = issue(world).json["token"]
    asked = []

    def away(**_: object) -> None:
        asked.append(1)
        raise ConnectTimeoutError(endpoint_url="https://secretsmanager")

    monkeypatch.setattr(aws.client("secretsmanager"), "get_secret_value", away)

    now += 301
    for _ in range(3):
        assert authorize(world, Authorization=f"Bearer {token}")["principalId"] == "user-1"
    assert len(asked) == 1  # not by every request


@pytest.mark.usefixtures("world")
def test_without_any_secret_an_outage_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ConnectTimeoutError(endpoint_url="https://secretsmanager")
    monkeypatch.setattr(aws.client("secretsmanager"), "get_secret_value", Mock(side_effect=error))

    with pytest.raises(Unavailable):
        secrets.current("SERVICE_TOKEN_SECRET_ARN")


@pytest.mark.usefixtures("world")
def test_odd_credentials_do_not_ask_the_secret_store_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    asked = []
    aws.client("secretsmanager").meta.events.register("before-send", lambda **_: asked.append(1))

    for _ in range(5):
        assert list(secrets.versions("SERVICE_TOKEN_SECRET_ARN")) == [SERVICE_TOKEN.encode()]

    assert len(asked) == 2  # the current version and the previous one


def test_a_secret_is_kept_for_five_minutes_and_then_fetched_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    assert secrets.current("CART_SNAPSHOT_SECRET_ARN") == SECRETS["CartSnapshotSecret"].encode()
    arn = world.secret_arns["CartSnapshotSecret"]
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")

    now += 299
    assert secrets.current("CART_SNAPSHOT_SECRET_ARN") == SECRETS["CartSnapshotSecret"].encode()
    now += 1
    assert list(secrets.versions("CART_SNAPSHOT_SECRET_ARN")) == [b"new", SECRETS["CartSnapshotSecret"].encode()]
