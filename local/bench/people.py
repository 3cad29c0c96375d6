"""What AWS answers about a user in a measurement without AWS; and the samples with what is genuine in them then."""

import base64
import hashlib
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.shop.people import PASSWORD_HASH
from local.shop.samples import sample
from tillflow.contexts.identity import codes, totp
from tillflow.contexts.identity.codes import Purpose

type Json = dict[str, Any]

ISSUER = "urn:tillflow:bench"
FOREVER = 9_999_999_999
# RFC 7515, A.3.1.
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    "use": "sig",
    "alg": "ES256",
}
_KEY = jwt.PyJWK(JWK | {"d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})
_PEM = _KEY.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
_KEYS = json.dumps({"keys": [{"kid": JWK["kid"], "pem": _PEM, "created_at": 0}]})
SECRETS = {"AccessKeySecret": _KEYS, "RefreshKeySecret": _KEYS, "CodeSecret": "demo-code-secret"}

_USER_ID, _CODE_ID, _RECOVERY = "user-1", "DHo8CmwfTgudjlt_ai0ekA", "ABCDEFGHIJKLMNOPQRSTUVWX"
_FACTOR = b"12345678901234567890"  # RFC 6238's
USER = {
    "pk": f"USER#{_USER_ID}",
    "sk": "USER",
    "email": "ada@example.com",
    "name": "Ada",
    "roles": ["buyer"],
    "password_hash": PASSWORD_HASH,
    "email_verified": True,
    "disabled": False,
    "epoch": 1,
    "created_at": "2026-02-10T12:34:56.000Z",
}
SESSION = {
    "pk": f"USER#{_USER_ID}",
    "sk": "SESSION#session-1",
    "epoch": 1,
    "current": 1,
    "previous": 0,
    "rotated_at": FOREVER * 1000,
    "told_at": FOREVER * 1000,
    "reissues": 0,
    "created_at": "2026-02-10T12:34:56.000Z",
    "authenticated_at": 1,
    "expires_at": FOREVER,
    "address": "203.0.113.7",
    "user_agent": "curl/8.11.1",
}
_CODE = {"pk": f"CODE#{_CODE_ID}", "sk": "CODE", "user_id": _USER_ID, "expires_at": FOREVER, "epoch": 1}
_FROM_REGISTRATION = {"password_hash": USER["password_hash"], "name": "Ada"}
# What of the items a function finds is not as above.
_CODES: dict[str, Json] = {
    "identity/verify_email": _CODE | {"purpose": "verify"} | _FROM_REGISTRATION,
    "identity/reset_password": _CODE | {"purpose": "reset"},
    "identity/verify_second_factor": _CODE | {"purpose": "mfa", "guesses": 0},
}
_USERS: dict[str, Json] = {
    "identity/verify_email": USER | {"email_verified": False},
    "identity/verify_second_factor": USER
    | {"totp": {"secret": _FACTOR, "last_step": 0}, "recovery": [hashlib.sha256(_RECOVERY.encode()).hexdigest()]},
    "identity/confirm_totp": USER | {"totp_pending": {"secret": _FACTOR, "until": FOREVER}},
}


def items(name: str) -> dict[str, Json]:
    """Return the item that each read of one item finds in the function *name*."""
    code = {"GetItem CODE": _CODES[name]} if name in _CODES else {}
    email = {"pk": "EMAIL#ada@example.com", "sk": "EMAIL", "user_id": _USER_ID}
    return {"GetItem USER": _USERS.get(name, USER), "GetItem EMAIL": email} | code


def key_store() -> dict[str, Json]:
    """Return what KMS answers."""
    text = base64.b64encode(_FACTOR).decode()
    return {"Encrypt": {"CiphertextBlob": text}, "Decrypt": {"Plaintext": text}}


def event(name: str) -> Json:
    """Return a function's sample, with the code or token in it that is good there."""
    asked = sample(name)
    return asked | {"body": json.dumps(json.loads(asked["body"]) | _GENUINE[name]())} if name in _GENUINE else asked


def access_token() -> str:
    """Return an access token of a session that does not expire."""
    return _token("access", "at+jwt", roles=["buyer"])


def _token(kind: str, typ: str, **claims: object) -> str:
    whole = {"iss": ISSUER, "aud": f"{ISSUER}:{kind}", "sub": _USER_ID, "sid": "session-1", "jti": "1", "iat": 1, "exp": FOREVER}
    return jwt.encode(whole | claims, _KEY, "ES256", {"typ": typ, "kid": JWK["kid"]})


def _opens(purpose: str) -> str:
    return codes.sealed(SECRETS["CodeSecret"].encode(), _CODE_ID, Purpose(purpose), _USER_ID)


_GENUINE = {
    "identity/verify_email": lambda: {"token": _opens("verify")},
    "identity/reset_password": lambda: {"token": _opens("reset")},
    "identity/verify_second_factor": lambda: {"mfa_token": _opens("mfa"), "code": _RECOVERY},
    "identity/refresh_session": lambda: {"refresh_token": _token("refresh", "rt+jwt", gen=1)},
    "identity/confirm_totp": lambda: {"code": totp.hotp(_FACTOR, totp.step_of(int(time.time())))},
}
