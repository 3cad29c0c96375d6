"""
A hook for schemathesis: what API Gateway itself refuses, as AWS words it.

The emulator drops the template's GatewayResponses. So its bare bodies are held against nothing, but what the template says
instead is held against the document. (It denies a path with a line break, which to it no policy's `*` stands for.)
"""

import json
from typing import Any

import schemathesis

from tests import template

BARE = {
    b'{"message":"Unauthorized"}': "UNAUTHORIZED",
    b'{"Message":"User is not authorized to access this resource"}': "ACCESS_DENIED",
}


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext,  # noqa: ARG001 - schemathesis passes by name
    case: schemathesis.Case[Any],  # noqa: ARG001
    response: schemathesis.Response,
) -> None:
    """Put the template's answer in place of the emulator's."""
    if refusal := BARE.get(response.content or b""):
        answers = template.resources("AWS::Serverless::Api")["Api"]["GatewayResponses"]
        body = json.loads(answers[refusal]["ResponseTemplates"]["application/json"])
        response.content = json.dumps(body).encode()
