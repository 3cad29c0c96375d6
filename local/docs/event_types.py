"""
functions/eventflow/event_types.json: the product's own event types as the deployment registers them, each payload's schema.

The template has a digest of it: CloudFormation calls a custom resource only where one of its properties has changed.
"""

import hashlib
import json
import re

from local import ROOT, LocalError
from local.docs.schemas import EVENTS, data_schema

PATH = ROOT / "functions" / "eventflow" / "event_types.json"

_DIGEST = re.compile(r'(?<=^      Types: )"\w*"(?= # a digest: written by `make docs`$)', re.MULTILINE)


def text() -> str:
    """Return the file as it is committed."""
    return json.dumps({event_type: data_schema(model) for event_type, model in EVENTS.items()}, indent=1) + "\n"


def stamped(template: str) -> str:
    """
    Return the text of the *template* with the file's digest.

    Raises:
        LocalError: it has no place for that.
    """
    digest = hashlib.sha256(text().encode()).hexdigest()[:16]
    found, times = _DIGEST.subn(f'"{digest}"', template)
    if times != 1:
        raise LocalError("template.yaml has no place for the digest of the product's own event types")
    return found
