"""Answers of the token API (contract: event-contracts.md, Auth API)."""

from typing import Literal, TypedDict


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


class InactiveToken(TypedDict):
    """The token is not valid; why is not told (RFC 7662)."""

    active: Literal[False]
