"""Requests of the token API (contract: event-contracts.md, Auth API), and of accounts (ticketing.md 2.1, eventflow.md 5)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from tillflow.contexts.identity.addresses import Address
from tillflow.web.authorization import Role, ServiceScope
from tillflow.web.paging import MAX_TOKEN_LENGTH
from tillflow.web.validation import NAMED, Body, Lax, Model, Query, UserId

MAX_TTL_SECONDS = 24 * 60 * 60

type Name = Annotated[str, Field(min_length=1, max_length=100, pattern=NAMED)]
# What a password must be is said in words of its own (passwords.check): here only what is no password at all.
type Password = Annotated[str, Field(min_length=1, max_length=1024)]
type Code = Annotated[str, Field(min_length=1, max_length=128)]


def _of_a_person(role: Role) -> Role:
    if role == Role.SERVICE:
        raise ValueError("this role is a machine's; name a service token instead")
    return role


class IssueToken(Body):
    """Who the token is for, what they may do, and for how long (60 seconds to 24 hours)."""

    userId: UserId
    roles: Annotated[list[Lax[Role]], Field(min_length=1, max_length=len(Role))]
    ttlSeconds: Annotated[int, Field(ge=60, le=MAX_TTL_SECONDS)] = 3600


class CreateServiceToken(Body):
    """What a service's token is called, and what it may do."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=NAMED)]
    scopes: Annotated[list[Lax[ServiceScope]], Field(min_length=1, max_length=len(ServiceScope))]


class IntrospectToken(Body):
    """A token to look into."""

    token: Annotated[str, Field(max_length=8192)]


class Register(Body):
    """A new account. Roles are an administrator's to give."""

    email: Address
    password: Password
    name: Name


class Login(Body):
    """Who somebody says they are, and their password."""

    email: Annotated[str, Field(max_length=254)]
    password: Password


class Opened(Body):
    """The token of a mail's link."""

    token: Code


class SecondFactor(Body):
    """The challenge of a login, and the code that answers it: a TOTP's six digits, or a recovery code."""

    mfa_token: Code
    code: Annotated[str, Field(min_length=1, max_length=64)]


class ConfirmFactor(Body):
    """A code of the authenticator app that is being set up."""

    code: Annotated[str, Field(min_length=1, max_length=64)]


class Refresh(Body):
    """A refresh token."""

    refresh_token: Annotated[str, Field(max_length=4096)]


class NewPassword(Body):
    """The present password, and the one to be."""

    current_password: Password
    new_password: Password


class Reset(Body):
    """Whose password is to be set anew."""

    email: Annotated[str, Field(max_length=254)]


class ResetPassword(Body):
    """The token of a mail's link, and the password to be."""

    token: Code
    password: Password


class UserFields(Body):
    """What users can change of themselves."""

    name: Name


class Roles(Body):
    """The roles a user is to have."""

    roles: Annotated[list[Annotated[Lax[Role], AfterValidator(_of_a_person)]], Field(max_length=len(Role))]


class UsersQuery(Query):
    """A page of users, newest first; or the one who has this *email*."""

    email: Annotated[str, Field(max_length=254)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    next_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = None


class SessionRevoked(Model):
    """A session is over because one of its refresh tokens was used that must have been stolen."""

    user_id: str
    session_id: str
    reason: str


class MailRequested(Model):
    """Data of `identity.mail_requested.v1`: the mail of a code is to be sent. Neither address nor token are in it."""

    code_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]
    purpose: Literal["verify", "reset", "taken"]
    user_id: UUID
