"""Mails: sent by SES for a code that is still good, to whom it is for. No log has an address, a code or a token."""

from contextlib import suppress

from botocore.exceptions import ClientError

from tillflow.contexts.identity import codes, letters, tables, users
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.identity.letters import Letter
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.runtime.invocation import logger
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.commit import Commit, unchanged
from tillflow.values import clock

# What SES will say of the same mail for ever (API reference, SendEmail). The rest is mended without it: a limit, or an account
# that is paused.
_NEVER = {"BadRequestException", "MessageRejected"}


class NotSent(Unavailable):
    """SES did not take a mail now: it is tried again."""


def send(code_id: str, purpose: Purpose, user_id: str, why: Cause) -> None:
    """
    Send the mail of a code. One that was sent, is used or too old, or whose user is gone or disabled, is not sent.

    Raises:
        NotSent: SES does not take it now.
    """
    code, user = database.get(tables.identity(), tables.code_key(code_id)), users.find(user_id)
    is_good = code is not None and (code["purpose"], code["user_id"]) == (purpose, user_id) and codes.is_open(code)
    if code is None or not is_good or "mailed_at" in code or user is None or user.disabled:
        logger.info("mail not sent", extra={"purpose": purpose, "user_id": user_id, "reason": "its code or user is not good now"})
        return
    letter = letters.letter(purpose, setting("APP_URL"), codes.token_of(code_id, purpose, user_id))
    if not _deliver(letter, user.email):
        logger.warning("mail not sent", extra={"purpose": purpose, "user_id": user_id, "reason": "SES will never take it"})
        return
    logger.info("mail sent", extra={"purpose": purpose, "user_id": user_id})
    commit = Commit(why)
    commit.update(
        tables.identity(),
        tables.code_key(code_id),
        change={"mailed_at": clock.iso(why.at)},
        when=unchanged(code, ("user_id",)),
        otherwise=lambda _: Moved(),
    )
    # The event may come again. That it was sent is better told twice than not at all.
    with suppress(Unavailable, Moved):
        commit.write()


def _deliver(letter: Letter, address: str) -> bool:
    """Send; return whether SES takes it."""
    try:
        aws.client("sesv2").send_email(
            FromEmailAddress=setting("SENDER_ADDRESS"),
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": letter.text, "Charset": "UTF-8"},
                        "Html": {"Data": letter.html, "Charset": "UTF-8"},
                    },
                }
            },
        )
    except ClientError as error:
        # Its message may have the address: only the code is told on.
        code = error.response["Error"]["Code"]
        if code in _NEVER and setting("SENDER_ADDRESS") not in error.response["Error"]["Message"]:
            return False  # where the sender is named, it is they who are not verified yet: that is mended
    except faults.LOST:
        code = "no answer"
    else:
        return True
    raise NotSent(f"SES: {code}.") from None
