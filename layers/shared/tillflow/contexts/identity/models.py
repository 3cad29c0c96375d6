"""Requests of the token API (contract: event-contracts.md, Auth API)."""

from typing import Annotated

from pydantic import Field

from tillflow.web.authorization import Role
from tillflow.web.validation import Body, Lax, UserId

MAX_TTL_SECONDS = 24 * 60 * 60


class IssueToken(Body):
    """Who the token is for, what they may do, and for how long (60 seconds to 24 hours)."""

    userId: UserId
    roles: Annotated[list[Lax[Role]], Field(min_length=1, max_length=len(Role))]
    ttlSeconds: Annotated[int, Field(ge=60, le=MAX_TTL_SECONDS)] = 3600


class IntrospectToken(Body):
    """A token to look into."""

    token: Annotated[str, Field(max_length=8192)]
