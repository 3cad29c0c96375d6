"""Answers of the token API (contract: event-contracts.md, Auth API), and of accounts (ticketing.md 2.1, eventflow.md 5)."""

from typing import Literal, NotRequired, TypedDict


class IssuedToken(TypedDict):
    """A new token, and how many seconds it is valid."""

    token: str
    tokenType: Literal["Bearer"]
    expiresIn: int


class ActiveToken(TypedDict):
    """What a valid token says; times are seconds since 1970."""

    active: Literal[True]
    userId: str
    roles: list[str]
    issuedAt: int
    expiresAt: int


class ActiveCredential(TypedDict):
    """What another valid credential says: of a session (access, refresh), or of a machine, which has scopes of its own."""

    active: Literal[True]
    tokenType: Literal["access", "refresh", "service", "api_key"]
    userId: str
    roles: list[str]
    scopes: NotRequired[list[str]]
    issuedAt: NotRequired[int]
    expiresAt: NotRequired[int]


class InactiveToken(TypedDict):
    """The token is not valid; why is not told (RFC 7662)."""

    active: Literal[False]


class Accepted(TypedDict):
    """Taken, whoever it is: what follows is told by mail."""

    status: Literal["accepted"]


class Verified(TypedDict):
    """The address is its user's."""

    status: Literal["verified"]


class Session(TypedDict):
    """What a login or a refresh opens; *expires_in* is the access token's, in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Challenge(TypedDict):
    """The password is right, and a second factor is wanted within *expires_in* seconds."""

    mfa_required: Literal[True]
    mfa_token: str
    expires_in: int


class SessionEntry(TypedDict):
    """A session of the caller's."""

    id: str
    created_at: str
    last_used_at: str
    address: str
    user_agent: str
    current: bool


class SessionList(TypedDict):
    """The caller's sessions, newest first."""

    items: list[SessionEntry]


class User(TypedDict):
    """A user."""

    id: str
    email: str
    name: str
    roles: list[str]
    email_verified: bool
    mfa_enabled: bool
    disabled: bool
    created_at: str


class UserPage(TypedDict):
    """A page of users, newest first."""

    items: list[User]
    next_token: str | None


class Jwk(TypedDict):
    """A public key on the curve P-256 (RFC 7517, RFC 7518); *kid* is its thumbprint (RFC 7638)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class Jwks(TypedDict):
    """A set of public keys."""

    keys: list[Jwk]


class ServiceToken(TypedDict):
    """A service's token, without its secret; when it was last used is noted once an hour."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    created_by: str
    last_used_at: str | None


class NewServiceToken(ServiceToken):
    """A service's new token, and its text: it is shown now, and never again."""

    token: str


class ServiceTokenList(TypedDict):
    """The services' tokens that are not revoked."""

    items: list[ServiceToken]


class Enrolment(TypedDict):
    """A second factor to be set up: its secret as text, as an authenticator app reads it, and that as a picture (QR code)."""

    secret: str
    otpauth_uri: str
    qr_svg: str


class RecoveryCodes(TypedDict):
    """Codes that are each good once in place of an authenticator app's."""

    recovery_codes: list[str]
