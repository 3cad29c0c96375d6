"""
Identity in DynamoDB: keys and access patterns.

| table (env)             | pattern                                        | key                              | reads                | writes   |
|-------------------------|------------------------------------------------|----------------------------------|----------------------|----------|
| IDENTITY_TABLE          | a user                                         | USER#<user id>, USER             | 1                    | 1 a KB   |
| IDENTITY_TABLE          | a session, and its user beside it; all of them | USER#<user id>, SESSION#<id>     | 1 each, in one call; 1 a 4 KB | 1        |
| IDENTITY_TABLE          | whose address it is; the guard of an address   | EMAIL#<address>, EMAIL           | 1                    | 2 a user |
| IDENTITY_TABLE          | what a mail's link or a login's challenge is for | CODE#<code id>, CODE           | 1                    | 1        |
| IDENTITY_TABLE          | how often something was tried                  | rate:<what>:<who>, RATE          | 1                    | 2        |
| IDENTITY_TABLE          | a machine's credential                         | KEY#<key id>, KEY                | 1                    | 1        |
| IDENTITY_TABLE          | the public keys of access tokens               | JWKS, JWKS                       | 1 in 5 minutes       | 1        |
| IDENTITY_TABLE          | how many administrators there are              | ADMINISTRATORS, ADMINISTRATORS   |                      | 2        |
| IDENTITY_TABLE `listed` | an owner's credentials of machines           | KEYS#<kind>#<owner>, listed_as   | ½ a 4 KB, and each credential | 1 in, 1 out |
| IDENTITY_TABLE `listed` | users, newest first                            | <0..3>, listed_as                | 4 x ½ a 4 KB, and each user | 1 in |
"""

from collections.abc import Mapping
from typing import Any

from tillflow.runtime.config import setting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key

LISTED_INDEX = "listed"
_SESSION = "SESSION#"


def identity() -> str:
    """Return the name of the identity table."""
    return setting("IDENTITY_TABLE")


def user_key(user_id: str) -> Key:
    """Return the key of a user."""
    return {"pk": f"USER#{user_id}", "sk": "USER"}


def session_key(user_id: str, session_id: str) -> Key:
    """Return the key of a user's session."""
    return {"pk": f"USER#{user_id}", "sk": f"{_SESSION}{session_id}"}


def email_key(address: str) -> Key:
    """Return the key of whose an *address* is (as `addresses.folded` writes it)."""
    return {"pk": f"EMAIL#{address}", "sk": "EMAIL"}


def code_key(code_id: str) -> Key:
    """Return the key of what a code is for."""
    return {"pk": f"CODE#{code_id}", "sk": "CODE"}


def rate_key(what: str, who: str) -> Key:
    """Return the key of how often *what* (`ip`, `account`, …) was tried by or against *who* (contract: ticketing.md 4.3)."""
    return {"pk": f"rate:{what}:{who}", "sk": "RATE"}


def machine_key(key_id: str) -> Key:
    """Return the key of a machine's credential."""
    return {"pk": f"KEY#{key_id}", "sk": "KEY"}


def is_user(key: Mapping[str, Any]) -> bool:
    """Tell whether a key, or the item under it, is a user's."""
    return bool(key["sk"] == "USER")


def machine_id_of(key: Mapping[str, Any]) -> str:
    """Return the id of a machine's credential from its key, or the item under it."""
    return str(key["pk"]).removeprefix("KEY#")


def listed_as(created_at: str, of: str) -> str:
    """Return where something is in its partition of the index: by when it was made."""
    return f"{created_at}#{of}"


def machines_listed(kind: str, owner: str) -> str:
    """Return the partition of the index that has an owner's credentials of one kind."""
    return f"KEYS#{kind}#{owner}"


def jwks_key() -> Key:
    """Return the key of the public keys of access tokens."""
    return {"pk": "JWKS", "sk": "JWKS"}


def administrators_key() -> Key:
    """Return the key of how many administrators there are."""
    return {"pk": "ADMINISTRATORS", "sk": "ADMINISTRATORS"}


def key_of(item: Item) -> Key:
    """Return the key of a stored item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def user_partition(user_id: str) -> str:
    """Return the partition that a user and all of their sessions are in."""
    return user_key(user_id)["pk"]


def session_id_of(item: Item) -> str:
    """Return the id of a stored session."""
    return str(item["sk"]).removeprefix(_SESSION)


def user_id_of(item: Item) -> str:
    """Return the id of a stored user, whole or as the index has it."""
    return str(item["pk"]).removeprefix("USER#")


def code_id_of(item: Item) -> str:
    """Return the id of a stored code."""
    return str(item["pk"]).removeprefix("CODE#")
