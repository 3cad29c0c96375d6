"""A user and one of their sessions, read together."""

from tillflow.contexts.identity import tables
from tillflow.storage import database
from tillflow.storage.attributes import Item


def user_and_session(user_id: str, session_id: str) -> tuple[Item | None, Item | None]:
    """
    Return both as they are now, None for what is not there: two read units, in one call.

    Raises:
        Unavailable: the database does not answer.
    """
    keys = [tables.user_key(user_id), tables.session_key(user_id, session_id)]
    found = {tables.is_user(item): item for item in database.batch(tables.identity(), keys)}
    return found.get(True), found.get(False)
