"""A user with a session, put where they are stored: for tests of what opens a route, not of how one logs in."""

from dataclasses import dataclass
from typing import Any

from local.shop import people
from tests.world import World
from tillflow.contexts.identity import tables, tokens
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids


@dataclass(frozen=True)
class Account:
    """A user and their session, as they were stored."""

    user_id: str
    session_id: str
    user: dict[str, Any]
    session: dict[str, Any]

    def access(self) -> str:
        """Return an access token of the session."""
        return tokens.access(self.user_id, self.session_id, tuple(self.user["roles"]), clock.now())

    def refresh(self, generation: int | None = None) -> str:
        """Return the refresh token of a generation, the current one where none is said."""
        which = self.session["current"] if generation is None else generation
        return tokens.refresh(self.user_id, self.session_id, which, clock.now(), self.session["expires_at"])

    def change(self, world: World, part: str, **values: Any) -> None:
        """Let the `user` or `session` have other attributes; None takes one away."""
        stored = getattr(self, part)
        stored |= values
        world.put("IdentityTable", to_item(stored))


def add(world: World, *roles: str, user_id: str | None = None, session_id: str | None = None) -> Account:
    """Store a user with *roles* (a buyer) and a session that began now."""
    user_id, session_id = user_id or ids.new(), session_id or ids.new()
    user = tables.user_key(user_id) | people.user("user@example.com", roles or ("buyer",))
    session = tables.session_key(user_id, session_id) | people.session() | {"current": 2, "previous": 1}
    account = Account(user_id, session_id, user, session)
    for part in ("user", "session"):
        account.change(world, part)
    return account
