"""Who somebody is: a password, and where there is one a second factor; then a session begins."""

from dataclasses import dataclass
from typing import Any

from tillflow.contexts.identity import accounts, addresses, attempts, codes, devices, factors, opening, passwords, tables, users
from tillflow.contexts.identity.codes import LIFETIMES, Purpose
from tillflow.contexts.identity.opening import Tokens
from tillflow.contexts.identity.refusals import EmailNotVerified, InvalidChallenge, InvalidCredentials, InvalidSecondFactor
from tillflow.contexts.identity.sessions import Client
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, when

_MOST_GUESSES = 5
_BUSY = "Others log in to this account at once. Send the same request again."


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What a login is answered: the tokens, and the *cookie* that tells this device from a stranger's."""

    tokens: Tokens
    cookie: str


@dataclass(frozen=True, slots=True)
class Challenged:
    """The password is right, and a second factor is wanted within *expires_in* seconds; *mfa_token* opens its door."""

    mfa_token: str
    expires_in: int = int(LIFETIMES[Purpose.MFA].total_seconds())

    def answer(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"mfa_required": True, "mfa_token": self.mfa_token, "expires_in": self.expires_in}


def log_in(email: str, password: str, cookies: str, client: Client, trace_id: str) -> LoggedIn | Challenged:
    """
    Return what the right password opens: a session, or the challenge of a second factor.

    Unknown user, wrong password and disabled user are one answer, after the same work.

    Raises:
        InvalidCredentials: see above.
        EmailNotVerified: the password is right, but the address is not shown to be anybody's.
        TooManyAttempts: too many were wrong before; whoever has logged in on this device before is not kept out.
    """
    folded = addresses.folded(email)
    taken = attempts.login(folded, client.address, devices.known(cookies, folded))
    user = users.find_by_email(email)
    is_right = passwords.matches(user.password_hash if user else None, password)
    unverified = EmailNotVerified("Open the link in the mail that we sent you. Register again to get another.")
    if not (is_right and user and not user.disabled):
        # Whoever registered the address with this password hears the same, whether it was free or taken.
        if passwords.matches(user.tried_hash if user else None, password):
            raise unverified
        raise InvalidCredentials("The address or the password is not right.")
    if not user.email_verified:
        raise unverified
    taken.give_back()
    why = Cause(user.user_id, user.roles, trace_id)
    if passwords.is_outdated(user.password_hash):
        _rehash(user, password, why)
    commit = Commit(why)
    if user.mfa_enabled:
        code_id = codes.issue(commit, Purpose.MFA, user.user_id, why, epoch=user.epoch, guesses=0)
        commit.write()
        return Challenged(codes.token_of(code_id, Purpose.MFA, user.user_id))
    tokens = opening.begin(commit, user, client, why.at)
    commit.write()
    return LoggedIn(tokens, devices.cookie(folded))


def verify_second_factor(mfa_token: str, code: str, cookies: str, client: Client, trace_id: str) -> LoggedIn:
    """
    Return the session of a login whose second factor is shown: a TOTP's code, or a recovery code.

    Raises:
        InvalidChallenge: the token is of no login, or of one that took too long, was verified or was guessed at.
        InvalidSecondFactor: the code is wrong or has been used.
        TooManyAttempts: this user's second factor was guessed at too often.
    """
    challenge = codes.opened(mfa_token, Purpose.MFA, _over())
    owner = users.get(challenge["user_id"])
    taken = attempts.second_factor(owner.user_id, devices.known(cookies, addresses.folded(owner.email)))
    _count_guess(challenge, accounts.cause(trace_id))

    def attempt() -> tuple[User, Tokens]:
        user = users.find(challenge["user_id"])
        if user is None or user.disabled or user.epoch != challenge["epoch"]:
            raise _over()
        why = Cause(user.user_id, user.roles, trace_id)
        shown = factors.check(user, code, why.at)
        if shown is None:
            raise InvalidSecondFactor("The code is not right, or has been used. Wait for the next.")
        commit = Commit(why)
        codes.use(commit, challenge, why, _over())
        shown.spend(commit)
        tokens = opening.begin(commit, user, client, why.at)
        commit.write()
        return user, tokens

    user, tokens = again(attempt, _BUSY)
    taken.give_back()
    return LoggedIn(tokens, devices.cookie(addresses.folded(user.email)))


def _count_guess(challenge: Item, why: Cause) -> None:
    """Count a guess before it is looked at: of guesses at once, none is for nothing."""
    commit = Commit(why)
    commit.update(
        tables.identity(),
        tables.key_of(challenge),
        add={"guesses": 1},
        when=when("attribute_not_exists(#used_at) AND #guesses < :most", most=_MOST_GUESSES),
        otherwise=lambda _: _over(),
    )
    commit.write()


def _rehash(user: User, password: str, why: Cause) -> None:
    """Hash a password with today's parameters. Who changed the account meanwhile has done so."""
    commit = Commit(why)
    users.change(commit, user, password_hash=passwords.hashed(password))
    try:
        commit.write()
    except Moved:
        return


def _over() -> InvalidChallenge:
    return InvalidChallenge("This login took too long, was verified or was guessed at. Log in again.")
