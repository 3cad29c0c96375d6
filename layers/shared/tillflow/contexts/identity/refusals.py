"""What identity refuses with, in one place: who is told what must not tell who has an account."""

from tillflow.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized


class InvalidCredentials(Unauthorized):
    """There is no such user, the password is wrong, or the user is disabled: which of them, nobody is told."""

    code = "INVALID_CREDENTIALS"
    title = "Invalid credentials"


class EmailNotVerified(Forbidden):
    """The password is right, and nobody has shown that the address is theirs."""

    code = "EMAIL_NOT_VERIFIED"
    title = "Email not verified"
    detail = "Email not verified"


class InvalidCode(Invalid):
    """A mail's link, or the challenge of a login, is none of ours, has been used or is too old."""

    code = "INVALID_CODE"
    title = "Invalid code"


class InvalidChallenge(Unauthorized):
    """The second factor was not shown in time, or wrong too often: the login begins anew."""

    code = "INVALID_MFA_TOKEN"
    title = "Invalid mfa_token"


class InvalidSecondFactor(Unauthorized):
    """The code of the second factor is wrong, or has been used."""

    code = "INVALID_MFA_CODE"
    title = "Invalid code"


class InvalidRefreshToken(Unauthorized):
    """The refresh token is none of ours, is over, or was used before."""

    code = "INVALID_REFRESH_TOKEN"
    title = "Invalid refresh token"


class NoSession(Forbidden):
    """The credential is no login's: it has no session."""

    code = "NO_SESSION"
    title = "No session"
    detail = "No session"


class UserNotFound(NotFound):
    """There is no such user, or the caller may not know of them."""

    code = "USER_NOT_FOUND"


class SessionNotFound(NotFound):
    """There is no such session, or it is over."""

    code = "SESSION_NOT_FOUND"


class AddressTaken(Conflict):
    """Somebody else has this address. Only the deployment is told: everybody else gets a mail."""

    code = "ADDRESS_TAKEN"
    title = "Address taken"


class LastAdministrator(Conflict):
    """Somebody must be able to administer."""

    code = "LAST_ADMINISTRATOR"
    title = "Last administrator"


class UserNotVerified(Conflict):
    """Nobody has shown that the user's address is theirs: whoever registered it must not come to administer."""

    code = "USER_NOT_VERIFIED"
    title = "User not verified"


class NoEnrolment(Conflict):
    """There is no second factor to confirm: none was asked for, or too long ago."""

    code = "NO_MFA_ENROLMENT"
    title = "No second factor to confirm"


class InvalidFactorCode(Invalid):
    """The code is not that of the second factor which is to be confirmed."""

    code = "INVALID_TOTP_CODE"
    title = "Invalid code"
