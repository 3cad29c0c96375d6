"""
What leads where in the API: the routes of template.yaml, written from the functions' own and from authorization.py.

SAM would make them of events, with a Lambda permission for each: at 150 routes too many resources for one stack
(docs/adr/0011). So they are written out, and API Gateway calls functions in a role of its own.
"""

from local import ROOT, LocalError
from local.docs import event_types
from local.docs.openapi.routes import Route, routes, template

PATH = ROOT / "template.yaml"

_BEGIN = "        # Routes: written by `make docs`.\n"
_END = "        # End of routes.\n"
_INVOCATION = "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{0}.Arn}}/invocations"


def text() -> str:
    """
    Return the template with today's routes, and the digest of the event types that it registers.

    Raises:
        LocalError: a route's function is not in the template, or the template has no place for routes.
    """
    before, begun, rest = PATH.read_text().partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not (begun and ended):
        raise LocalError(f"{PATH.name} has no place for routes between {_BEGIN.strip()} and {_END.strip()}")
    return event_types.stamped(f"{before}{begun}{_paths(_logical_ids())}{ended}{after}")


def _logical_ids() -> dict[str, str]:
    """Return each function's logical id by where its handler is, e.g. `functions/orders/create_order.handler`."""
    functions = {name: each["Properties"] for name, each in template().items() if each["Type"] == "AWS::Serverless::Function"}
    return {f"{each['CodeUri']}/{each['Handler']}": name for name, each in functions.items()}


def _paths(logical_ids: dict[str, str]) -> str:
    """Return the definition's `paths`, in the order of `authorization.ROUTES`."""
    operations: dict[str, str] = {}
    for route in routes():
        operations.setdefault(route.path, "")
        operations[route.path] += f"            {_operation(route, logical_ids)}\n"
    return "        paths:\n" + "".join(f"          {path}:\n{methods}" for path, methods in operations.items())


def _operation(route: Route, logical_ids: dict[str, str]) -> str:
    handler = f"functions/{route.served_by}.handler"
    if handler not in logical_ids:
        raise LocalError(f"{PATH.name} has no function whose CodeUri and Handler are {handler}, for {route.path}")
    uri = f'uri: !Sub "{_INVOCATION.format(logical_ids[handler])}"'
    integration = f"{{type: aws_proxy, httpMethod: POST, credentials: !GetAtt ApiRole.Arn, {uri}}}"
    security = f"[{{{route.authorizer}: []}}]"
    return f"{route.method}: {{security: {security}, x-amazon-apigateway-integration: {integration}, responses: {{}}}}"
