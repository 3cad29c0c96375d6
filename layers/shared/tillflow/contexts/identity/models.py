"""Requests of the token API (contract: event-contracts.md, Auth API)."""

from typing import Annotated

from pydantic import Field

from tillflow.web.authorization import Role
from tillflow.web.validation import PRINTABLE, Body, Lax

MAX_TTL_SECONDS = 24 * 60 * 60
MAX_USER_ID_LENGTH = 128


class IssueToken(Body):
    """Who the token is for, what they may do, and for how long (60 seconds to 24 hours)."""

    userId: Annotated[str, Field(min_length=1, max_length=MAX_USER_ID_LENGTH, pattern=PRINTABLE)]
    roles: Annotated[list[Lax[Role]], Field(min_length=1, max_length=len(Role))]
    ttlSeconds: Annotated[int, Field(ge=60, le=MAX_TTL_SECONDS)] = 3600


class IntrospectToken(Body):
    """A token to look into."""

    token: Annotated[str, Field(max_length=8192)]
