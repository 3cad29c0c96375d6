"""The samples' user on a stack that runs: an account, logged in, and what a mail's link or an app's code would be to them."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from local.platform.stack import Stack
from local.shop.client import connect
from local.shop.samples import Json, sample
from tillflow.contexts.identity import codes, tables, totp
from tillflow.contexts.identity.codes import Purpose
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids

# Argon2id of the samples' password.
PASSWORD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$b26/6j8XTjFr4JcvShGC7A$XhddSs+DthoOciMoZ/8CmUwYbglD0FnPSuG3fVQw8QM"
USER_ID = sample("identity/get_me")["requestContext"]["authorizer"]["userId"]
SESSION_ID = sample("identity/end_session")["pathParameters"]["id"]
_RECOVERY = "ABCDEFGHIJKLMNOPQRSTUVWX"
_PASSWORD = json.loads(sample("identity/log_in")["body"])["password"]
MONTH = 30 * 24 * 3_600
# Who must be there for them, and in which state.
_FACTOR = {"totp": {"secret": b"-", "last_step": 0}, "recovery": [hashlib.sha256(_RECOVERY.encode()).hexdigest()]}
_STATES: dict[str, Json] = {"identity/verify_email": {"email_verified": False}, "identity/verify_second_factor": _FACTOR}
_NEED_NOBODY = {"identity/register", "identity/ask_for_reset", "identity/list_users", "identity/create_first_administrator"}


def user(email: str, roles: tuple[str, ...] = ("buyer",), **values: Any) -> Json:
    """Return a user as they are stored, but for the key; with other *values*."""
    stored = {"email": email, "name": "Ada", "roles": list(roles), "password_hash": PASSWORD_HASH, "email_verified": True}
    return stored | {"disabled": False, "epoch": 1, "created_at": clock.iso(clock.now())} | values


def session() -> Json:
    """Return a session that begins now, as it is stored, but for the key."""
    now = clock.now()
    at = clock.milliseconds(now)
    stored: Json = {"epoch": 1, "current": 1, "previous": 0, "rotated_at": at, "told_at": at, "reissues": 0}
    stored |= {"created_at": clock.iso(now), "authenticated_at": clock.epoch(now), "expires_at": clock.epoch(now) + MONTH}
    return stored | {"address": "203.0.113.7", "user_agent": "curl/8.11.1"}


def is_of_one(name: str, event: Mapping[str, Any]) -> bool:
    """Tell whether a sample is about a user who must be there."""
    return name not in _NEED_NOBODY and str(event.get("resource", "")).startswith(("/v1/auth/", "/v1/users/"))


def move_in(stack: Stack, name: str, user_id: str, session_id: str, event: Json) -> Json:
    """Let the user of a sample be on *stack*, and return its *event* with what is theirs in it."""
    email = f"ada-{user_id}@example.com"
    _put(stack, tables.email_key(email) | {"user_id": user_id})
    _put(stack, tables.user_key(user_id) | user(email, **_STATES.get(name, {})))
    _put(stack, tables.session_key(user_id, session_id) | session())
    body = json.loads(event["body"]) if event.get("body") else {}
    match name:
        case "identity/log_in":
            body["email"] = email
        case "identity/refresh_session":
            body["refresh_token"] = _log_in(stack, email)["refresh_token"]
        case "identity/confirm_totp":
            body["code"] = _code_of_the_app(stack, email)
        case "identity/verify_email":
            body["token"] = _opens(stack, "verify", user_id, password_hash=PASSWORD_HASH, name="Ada")
        case "identity/reset_password":
            body["token"] = _opens(stack, "reset", user_id)
        case "identity/verify_second_factor":
            body |= {"mfa_token": _opens(stack, "mfa", user_id, guesses=0), "code": _RECOVERY}
    return event | ({"body": json.dumps(body)} if body else {})


def _put(stack: Stack, item: Mapping[str, Any]) -> None:
    stack.aws.dynamodb.put_item(TableName=stack.tables["IdentityTable"], Item=to_item(item))


def _log_in(stack: Stack, email: str) -> Json:
    answer = httpx.post(f"{stack.api_url}/v1/auth/login", json={"email": email, "password": _PASSWORD}, timeout=30)
    return dict(answer.json())


def _code_of_the_app(stack: Stack, email: str) -> str:
    caller = connect(stack.api_url, {"Authorization": f"Bearer {_log_in(stack, email)['access_token']}"})
    secret = base64.b32decode(caller.http.post("/v1/auth/mfa/totp").json()["secret"])
    return totp.hotp(secret, totp.step_of(int(time.time())))


def _opens(stack: Stack, purpose: str, user_id: str, **bound: Any) -> str:
    """Return the token of a code that is made for this."""
    code_id = ids.short(ids.new())
    expires_at = clock.epoch(clock.now()) + 300
    _put(stack, tables.code_key(code_id) | {"purpose": purpose, "user_id": user_id, "expires_at": expires_at, "epoch": 1} | bound)
    arn = stack.variables("VerifyEmailFunction")["CODE_SECRET_ARN"]
    secret = stack.aws.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
    return codes.sealed(secret.encode(), code_id, Purpose(purpose), user_id)
