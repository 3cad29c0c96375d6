"""
A hook for schemathesis: API Gateway's own 401 as AWS words it.

The emulator drops the template's GatewayResponses. So its bare `{"message": "Unauthorized"}` is held against nothing,
but what the template says instead is held against the document.
"""

import json
from typing import Any

import schemathesis

from tests import template

BARE = b'{"message":"Unauthorized"}'


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext,  # noqa: ARG001 - schemathesis passes by name
    case: schemathesis.Case[Any],  # noqa: ARG001
    response: schemathesis.Response,
) -> None:
    """Put the template's answer in place of the emulator's."""
    if response.status_code == 401 and response.content == BARE:
        answers = template.resources("AWS::Serverless::Api")["Api"]["GatewayResponses"]
        body = json.loads(answers["UNAUTHORIZED"]["ResponseTemplates"]["application/json"])
        response.content = json.dumps(body).encode()
