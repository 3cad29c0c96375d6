"""The events that identity causes. None has an address, a code or a token: whoever is told looks the user up."""

from tillflow.messaging.envelope import Event

SOURCE = "tillflow.identity"
MAIL_REQUESTED = "identity.mail_requested.v1"
SESSION_REVOKED = "identity.session_revoked.v1"


def mail_requested(code_id: str, purpose: str, user_id: str) -> Event:
    """Return `identity.mail_requested.v1`: a user is to be sent a mail."""
    return Event(SOURCE, MAIL_REQUESTED, {"code_id": code_id, "purpose": purpose, "user_id": user_id})


def session_revoked(user_id: str, session_id: str, reason: str) -> Event:
    """Return `identity.session_revoked.v1`: a refresh token was used that must have been stolen; its session is over."""
    return Event(SOURCE, SESSION_REVOKED, {"user_id": user_id, "session_id": session_id, "reason": reason})
