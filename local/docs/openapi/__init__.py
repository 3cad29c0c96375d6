"""
The document of the API, OpenAPI 3.1, made from the functions: `docs/openapi.json`.

What a route takes and answers is noted where it is served (`tillflow.web.openapi`); who may call it, and with which
credential, is what `authorization.ROUTES` and the template say; words are the functions' docstrings; examples are the
sample events and the refusals themselves. Nothing is written twice, so nothing can disagree.
"""

import json

from local import ROOT
from local.docs.openapi.document import document

PATH = ROOT / "docs" / "openapi.json"


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
