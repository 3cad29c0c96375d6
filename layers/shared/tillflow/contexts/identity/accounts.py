"""An account's life: registered, its address shown to be somebody's, its password changed or set anew."""

from collections.abc import Callable, Mapping
from typing import Any

from tillflow.contexts.identity import addresses, attempts, codes, passwords, sessions, users
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.identity.models import NewPassword, Register, ResetPassword, UserFields
from tillflow.contexts.identity.refusals import InvalidCode, InvalidCredentials, NoSession
from tillflow.contexts.identity.sessions import Client
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit

# Who has shown nothing yet causes something: an account's own commands know better.
NOBODY = "anonymous"
_BUSY = "This account is being changed by others. Send the same request again."


def cause(trace_id: str) -> Cause:
    """Return the cause of what somebody asks for who has not logged in."""
    return Cause(NOBODY, (), trace_id)


def register(wanted: Register, client: Client, trace_id: str) -> None:
    """
    Register a user, and mail them a link that shows the address to be theirs.

    Whoever has the address already is sent a mail that says so; nobody else is told. Before the address is shown to be
    somebody's, it may be registered again: each mail's link makes its own registration the good one.

    Raises:
        WeakPassword: the password is too short or too well known.
        TooManyAttempts: too many registrations from this address of the network.
    """
    attempts.by_address(client.address)
    passwords.check(wanted.password, email=wanted.email, name=wanted.name)
    password_hash = passwords.hashed(wanted.password)
    told = attempts.may_mail("register", addresses.folded(wanted.email))
    again(lambda: _register(wanted, password_hash, cause(trace_id), told=told), _BUSY)


def _register(wanted: Register, password_hash: str, why: Cause, *, told: bool) -> None:
    known = users.find_by_email(wanted.email)
    commit = Commit(why)
    user = known or users.new(wanted.email, wanted.name, "buyer", password_hash, why.at)
    # No mail is no reason to write nothing: there must be something to commit, whoever has the address.
    purpose = Purpose.NOBODY if not told else Purpose.TAKEN if user.email_verified else Purpose.VERIFY
    bound = {"password_hash": password_hash, "name": wanted.name} if purpose == Purpose.VERIFY else {}
    codes.issue(commit, purpose, user.user_id, why, **bound)
    if known is None:
        users.add(commit, user)
    elif user.email_verified:
        users.keep_tried(commit, user, password_hash)
    else:
        users.change(commit, user, password_hash=password_hash, name=wanted.name)
    commit.write()


def verify_email(token: str, trace_id: str) -> None:
    """
    Take it that a registration is by who has its address.

    Raises:
        InvalidCode: the token is none of a registration's mail, has been used or is too old.
    """
    code = codes.opened(token, Purpose.VERIFY, _invalid())
    why = cause(trace_id)

    def attempt() -> None:
        user = users.find(code["user_id"])
        if user is None or user.email_verified:
            raise _invalid()
        commit = Commit(why)
        codes.use(commit, code, why, _invalid())
        users.change(commit, user, email_verified=True, password_hash=code["password_hash"], name=code["name"])
        commit.write()

    again(attempt, _BUSY)


def change_password(user_id: str, session_id: str | None, wanted: NewPassword, client: Client, why: Cause) -> None:
    """
    Change a user's password; every other session of theirs ends.

    Raises:
        InvalidCredentials: the present password is another.
        WeakPassword: the new one is too short or too well known.
        TooManyAttempts: the present one was guessed at too often.
    """
    if session_id is None:
        raise NoSession("Log in to change your password: this credential is no login's.")
    user = users.get(user_id)
    passwords.check(wanted.new_password, email=user.email, name=user.name)
    taken = attempts.login(addresses.folded(user.email), client.address, device=session_id)
    if not passwords.matches(user.password_hash, wanted.current_password):
        raise InvalidCredentials("The present password is another.")
    taken.give_back()
    commit = Commit(why)
    users.change(commit, user, password_hash=passwords.hashed(wanted.new_password), epoch=user.epoch + 1)
    sessions.carry_over(commit, user_id, session_id, user.epoch + 1)
    try:
        commit.write()
    except Moved:
        # The password is no longer the one that was shown.
        raise InvalidCredentials("The account was changed meanwhile. Log in, and decide anew.") from None


def change_name(user_id: str, patch: Callable[[Mapping[str, Any]], UserFields], why: Cause) -> User:
    """
    Change what users may change of themselves, and return the user.

    Raises:
        UserNotFound: the caller's credential is no user's.
    """

    def attempt() -> User:
        user = users.get(user_id)
        name = patch({"name": user.name}).name
        commit = Commit(why)
        users.change(commit, user, name=name)
        commit.write()
        return users.changed(user, {"name": name})

    return again(attempt, _BUSY)


def ask_for_reset(email: str, client: Client, trace_id: str) -> None:
    """
    Mail a link that sets a password anew to whoever has this address; nobody is told whether anybody does.

    Raises:
        TooManyAttempts: too many such requests from this address of the network.
    """
    attempts.by_address(client.address)
    told = attempts.may_mail("reset", addresses.folded(email))
    user, why = users.find_by_email(email), cause(trace_id)
    commit = Commit(why)
    if told and user and not user.disabled:
        codes.issue(commit, Purpose.RESET, user.user_id, why, epoch=user.epoch)
    else:
        codes.issue(commit, Purpose.NOBODY, NOBODY, why)
    commit.write()


def reset_password(wanted: ResetPassword, trace_id: str) -> None:
    """
    Set a password anew, by a mail's link; every session ends. The second factor stays what it was.

    Raises:
        InvalidCode: the token is none of such a mail, has been used or is too old, or the password was changed since.
        WeakPassword: the password is too short or too well known.
    """
    code, why = codes.opened(wanted.token, Purpose.RESET, _invalid()), cause(trace_id)
    user = _bound(code)
    passwords.check(wanted.password, email=user.email, name=user.name)
    password_hash = passwords.hashed(wanted.password)

    def attempt() -> None:
        present = _bound(code)
        commit = Commit(why)
        codes.use(commit, code, why, _invalid())
        # Who reads the address's mail has shown that it is theirs.
        users.change(commit, present, password_hash=password_hash, epoch=present.epoch + 1, email_verified=True)
        commit.write()

    again(attempt, _BUSY)


def _bound(code: Item) -> User:
    """Return the user whose password a code may set: no other code, and no password since."""
    user = users.find(code["user_id"])
    if user is None or user.disabled or user.epoch != code["epoch"]:
        raise _invalid()
    return user


def _invalid() -> InvalidCode:
    return InvalidCode("This link is no longer good: it has been used, is too old or is none of ours. Ask for a new one.")
