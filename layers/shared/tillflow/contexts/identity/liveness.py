"""When a session is over: the one rule of it, for whoever lets its tokens in and for whoever gives out the next ones. No I/O."""

from collections.abc import Mapping
from typing import Any

# It ends 30 days after its login, at the latest (`expires_at`), and so long after it was last refreshed.
IDLE_SECONDS = 7 * 24 * 3_600


def is_live(session: Mapping[str, Any], user: Mapping[str, Any], now: int) -> bool:
    """
    Tell whether a *session* of *user*, both as the table has them, is not over *now* (seconds since 1970).

    All sessions of a user are over that have another epoch than theirs.
    """
    return (
        not user["disabled"]
        and "revoked_at" not in session
        and session["epoch"] == user["epoch"]
        and now < session["expires_at"]
        and now < session["rotated_at"] // 1000 + IDLE_SECONDS
    )
