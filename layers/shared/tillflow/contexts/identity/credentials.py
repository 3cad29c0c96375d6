"""
Credentials in, callers out: of requests, and of what introspection is asked about.

What only some credentials need (cryptography, the database) is imported when one of them comes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tillflow.contexts.identity import service
from tillflow.values import clock, ids

if TYPE_CHECKING:
    from types import ModuleType

    from tillflow.contexts.identity.machines import Machine
    from tillflow.storage.attributes import Item

_MACHINE = "tf_"

type Kind = Literal["bearer", "access", "refresh", "service", "api_key"]


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Whom a credential of some *kind* stands for, and what they may do now; times are seconds since 1970.

    A machine has *scopes* of its own. Of a login there are its *session_id*, when it *authenticated_at*, and the user's *name*.
    """

    kind: Kind
    user_id: str
    roles: tuple[str, ...]
    issued_at: int | None = None
    expires_at: int | None = None
    session_id: str | None = None
    authenticated_at: int | None = None
    scopes: tuple[str, ...] | None = None
    name: str | None = None


def authenticate(headers: dict[str, str], accepted: tuple[str, ...]) -> Caller | None:
    """
    Return the caller by a request's credential (*headers* in lower case), or None: no or no valid credential.

    Only the *accepted* headers are looked at: API Gateway keeps the answer under these, for whoever sends the same.

    Raises:
        Unavailable: what there is to know of it cannot be read.
    """
    sent = {name: headers[name] for name in accepted if name in headers}
    scheme, _, credential = sent.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _of_bearer(credential.strip())
    if "x-service-token" in sent:
        text = sent["x-service-token"]
        return _of_machine(_machines().authenticate("service", text)) if text.startswith(_MACHINE) else _of_service(text)
    return _of_machine(_machines().authenticate("api_key", sent["x-api-key"])) if "x-api-key" in sent else None


def look_into(text: str) -> Caller | None:
    """Return whom a credential of any kind stands for (RFC 7662), as `authenticate` does; to look is not to use it."""
    if "." in text:
        return _of_bearer(text) or (_of_refresh(text) if _is_jwt(text) else None)
    if text.startswith(_MACHINE):
        return _of_machine(_machines().find("service", text) or _machines().find("api_key", text))
    return _of_service(text)


def _machines() -> "ModuleType":
    from tillflow.contexts.identity import machines

    return machines


def _of_bearer(text: str) -> Caller | None:
    return _of_access(text) if _is_jwt(text) else _of_issued(text)


def _is_jwt(text: str) -> bool:
    """Tell a session's token, which has three parts, from an issued one, which has two."""
    return text.count(".") > 1


def _of_issued(text: str) -> Caller | None:
    """Return the caller by an issued token: with its roles, unless its user is one of ours and disabled."""
    token = service.read_token(text)
    if token is None or (ids.is_uuid(token.user_id) and _is_disabled(ids.canonical(token.user_id))):
        return None
    issued, expires = token.issued_at, token.expires_at
    return Caller("bearer", token.user_id, token.roles, issued, expires, authenticated_at=issued)


def _is_disabled(user_id: str) -> bool:
    from tillflow.contexts.identity import tables
    from tillflow.storage import database

    user = database.get(tables.identity(), tables.user_key(user_id))
    return user is not None and bool(user["disabled"])


def _of_access(text: str) -> Caller | None:
    """Return the caller by an access token: with what roles its user has by now, if its session is not over."""
    from tillflow.contexts.identity import tokens

    if (token := tokens.read_access(text)) is None or (found := _living(token.user_id, token.session_id)) is None:
        return None
    user, session = found
    roles, since = tuple(user["roles"]), session["authenticated_at"]
    issued, expires = token.issued_at, token.expires_at
    return Caller("access", token.user_id, roles, issued, expires, token.session_id, since, name=user["name"])


def _of_refresh(text: str) -> Caller | None:
    """Return the caller by a refresh token that would be answered: without a role, for it opens no route."""
    from tillflow.contexts.identity import tokens

    if (token := tokens.read_refresh(text)) is None or (found := _living(token.user_id, token.session_id)) is None:
        return None
    _, session = found
    if token.generation not in (session["current"], session["previous"]):
        return None
    since = session["authenticated_at"]
    return Caller("refresh", token.user_id, (), token.issued_at, token.expires_at, token.session_id, since)


def _living(user_id: str, session_id: str) -> "tuple[Item, Item] | None":
    """Return a user and their session, if it is not over."""
    from tillflow.contexts.identity.liveness import is_live
    from tillflow.contexts.identity.lookup import user_and_session

    user, session = user_and_session(user_id, session_id)
    if user is None or session is None or not is_live(session, user, clock.epoch(clock.now())):
        return None
    return user, session


def _of_service(text: str) -> Caller | None:
    """Return the stack's own service by its token."""
    token = service.read_service_token(text)
    return Caller("service", token.user_id, token.roles) if token else None


def _of_machine(machine: "Machine | None") -> Caller | None:
    """Return a machine, which may do what its scopes say: a producer's key in the name of its owner."""
    if machine is None:
        return None
    kind: Kind = "api_key" if machine.kind == "api_key" else "service"
    user_id = machine.owner if kind == "api_key" else f"service:{machine.machine_id}"
    return Caller(kind, user_id, (), clock.epoch(clock.parse(machine.created_at)), scopes=machine.scopes)
