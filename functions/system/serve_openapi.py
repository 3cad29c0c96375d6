"""GET /openapi.json and /docs: the document of this API, and a page to read it and try it with."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import aws_lambda_powertools

from tillflow.runtime.deadline import LambdaContext
from tillflow.runtime.invocation import begin, logger
from tillflow.web.openapi import note

# A link to the committed docs/openapi.json, which `sam build` follows.
DOCUMENT = Path(__file__).with_name("openapi.json")
# Powertools has Swagger UI aboard, so the page needs nothing from elsewhere. Read, not imported: its resolver is slow.
SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"
START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, displayRequestDuration: true})'

type Answer = tuple[str, str, dict[str, str]]


@note("GET /openapi.json", answers={200: dict[str, Any]})
def serve_document() -> Answer:
    """Answer the OpenAPI 3.1 document."""
    return DOCUMENT.read_text(), "application/json", {}


@note("GET /docs", answers={200: "text/html"})
def serve_page() -> Answer:
    """Answer a page that shows the document, and sends requests to this very stack."""
    style = (SWAGGER_UI / "swagger-ui.min.css").read_text()
    # Within a script, HTML lets `<!--` hide the end of it; to JavaScript this is the same text.
    script = (SWAGGER_UI / "swagger-ui-bundle.min.js").read_text().replace("<!--", r"\x3C!--")
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tillflow API</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'<style>{style}</style></head><body><div id="page"></div><script>{script}</script><script>{START}</script></body></html>'
    )
    policy = (
        f"default-src 'none'; script-src {_hash(script)} {_hash(START)}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, "text/html; charset=utf-8", {"Content-Security-Policy": policy}


ROUTES = {"GET /openapi.json": serve_document, "GET /docs": serve_page}


def _hash(script: str) -> str:
    """Return what allows an inline script: its text, and no other's."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway proxy event. Not by `http.Api`, which brings pydantic along: nothing is to be validated."""
    route = f"{event['httpMethod']} {event['resource']}"
    begin(context, request_id=event["requestContext"]["requestId"])
    text, content_type, headers = ROUTES[route]()
    logger.info("request", extra={"route": route, "status": 200})
    common = {"Content-Type": content_type, "Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return {"statusCode": 200, "headers": common | headers, "body": text}
