"""Mail addresses, and whose they are."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3: a path has 256 with its brackets
_MAX_LOCAL = 64
# As browsers take them (WHATWG HTML, valid e-mail address), with a domain that mail can be sent to. SES takes ASCII alone.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,{_MAX_LOCAL}}}@(?:{_LABEL}\.)+{_LABEL}")


def _checked(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("this is no mail address that we could write to, e.g. ada@example.com")
    return text


_SHOWN_AS_EMAIL: JsonDict = {"format": "email"}
type Address = Annotated[str, Field(max_length=MAX_LENGTH), AfterValidator(_checked), Field(json_schema_extra=_SHOWN_AS_EMAIL)]


def folded(address: str) -> str:
    """Return *address* as it is compared: nobody tells Ada@ from ada@ (RFC 5321 lets a host, and none does)."""
    return address.lower()
