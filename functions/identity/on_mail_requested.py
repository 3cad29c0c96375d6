"""identity.mail_requested.v1, from identity alone: send a user the mail of a code, once."""

from typing import Any

from tillflow.contexts.identity import mailing
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.identity.models import MailRequested
from tillflow.messaging.consumer import consumer
from tillflow.messaging.envelope import Cause


def on_mail_requested(envelope: dict[str, Any]) -> None:
    """Send it; the code says whether it was sent, or need not be any more."""
    wanted = MailRequested.model_validate(envelope["data"])
    mailing.send(wanted.code_id, Purpose(wanted.purpose), str(wanted.user_id), Cause.of_envelope(envelope))


handler = consumer(on_mail_requested)
