"""
What our mails say. Nothing that a user wrote is in them: anybody could have it sent to anybody.

A link ends in the code's token; the application behind it (`APP_URL`) sends that on to us.
"""

from dataclasses import dataclass
from html import escape

from tillflow.contexts.identity.codes import LIFETIMES, Purpose

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: its *subject*, and what it says as *text* and as *html*."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    before: str
    path: str
    after: str


_WORDS = {
    Purpose.VERIFY: _Words(
        "Confirm your mail address",
        "Somebody has registered with this mail address. If that was you, open this link within {time}:",
        "/verify-email?token={token}",
        "If it was not, do nothing: nobody can log in with this address before the link is opened.",
    ),
    Purpose.RESET: _Words(
        "Set a new password",
        "Somebody wants a new password for the account with this mail address. If that was you, open this link within {time}:",
        "/reset-password?token={token}",
        "If it was not, do nothing: your password stays as it is.",
    ),
    Purpose.TAKEN: _Words(
        "You have an account already",
        "Somebody has registered with this mail address, which has an account already. If that was you, log in:",
        "/login",
        "If you have forgotten your password, ask for a new one there. If it was not you, do nothing: nothing has changed.",
    ),
}


def letter(purpose: Purpose, app_url: str, token: str) -> Letter:
    """Return the mail of a code for this *purpose*, whose link leads into the application at *app_url*."""
    words, lifetime = _WORDS[purpose], int(LIFETIMES[purpose].total_seconds())
    time = f"{lifetime // _HOUR} hours" if lifetime >= _HOUR else f"{lifetime // 60} minutes"
    before, link = words.before.format(time=time), app_url + words.path.format(token=token)
    href = escape(link)
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(words.subject)}</title></head>'
        f'<body style="font:16px/1.5 sans-serif;color:#222;background:#fff"><p>{escape(before)}</p>'
        f'<p><a href="{href}">{href}</a></p><p>{escape(words.after)}</p></body></html>'
    )
    return Letter(words.subject, f"{before}\n\n{link}\n\n{words.after}\n", html)
