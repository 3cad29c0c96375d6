"""
The document of the API, OpenAPI 3.1, made from the functions: `docs/openapi.json`.

What a route takes and answers is noted where it is served (`tillflow.openapi`); who may call it, and with which
credential, is what `authorization.ROUTES` and the template say; words are the functions' docstrings; examples are the
sample events and the refusals themselves. Nothing is written twice, so nothing can disagree.
"""

import json
import sys

from local import ROOT
from local.process import console

sys.path.append(str(ROOT / "layers" / "shared"))  # functions find the layer without this; it is no installed package

from local.openapi.document import document

PATH = ROOT / "docs" / "openapi.json"


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def run() -> None:
    """Bring the committed document in step with the functions."""
    PATH.write_text(text())
    console.print(f"{PATH.relative_to(ROOT)}")
