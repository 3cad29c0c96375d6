"""One error body, everywhere: the tree of errors, what http.py makes of it, and API Gateway's own refusals."""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import tillflow
from tests import template
from tillflow import errors
from tillflow.errors import TillflowError
from tillflow.web.http import error_body

BODY = {"error", "error_code", "message", "detail", "request_id"}
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def subclasses(error: type[TillflowError]) -> Iterator[type[TillflowError]]:
    yield error
    for each in error.__subclasses__():
        yield from subclasses(each)


for _module in pkgutil.walk_packages(tillflow.__path__, "tillflow."):
    importlib.import_module(_module.name)
ERRORS = sorted(
    {each for each in subclasses(TillflowError) if each.__module__.startswith("tillflow")}, key=lambda each: each.__name__
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_has_a_code_a_title_and_a_status(error: type[TillflowError]) -> None:
    assert CODE.fullmatch(error.code)
    assert error.title
    assert error.status in {400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 503}
    assert error.__doc__


@pytest.mark.parametrize("error", [each for each in ERRORS if issubclass(each, errors.Refusal)], ids=lambda error: error.__name__)
def test_a_refusal_is_the_caller_s_matter(error: type[TillflowError]) -> None:
    assert error is errors.Refusal or 400 <= error.status < 500


def test_one_code_means_one_thing() -> None:
    """A subclass may keep its parent's code; two classes that are no kin may not share one."""
    for one in ERRORS:
        for other in ERRORS:
            if one.code == other.code:
                assert issubclass(one, other) or issubclass(other, one) or _inherit_it(one, other), (one, other)


def _inherit_it(*both: type[TillflowError]) -> bool:
    return all("code" not in vars(error) for error in both)


TREE = re.findall(r"[├└]── (\w+) +(?:(\d{3}) )?", errors.__doc__ or "")


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, TillflowError)]

    assert [name for name, _ in TREE] == classes[1:]
    assert (errors.__doc__ or "").splitlines()[3].strip() == classes[0] == "TillflowError"


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, status in TREE if status])
def test_the_docstring_tells_the_status(name: str, status: str) -> None:
    assert getattr(errors, name).status == int(status)


def test_the_docstring_s_branches_are_the_inheritance() -> None:
    under_refusal = re.findall(r"│   [├└]── (\w+)", errors.__doc__ or "")

    assert [each.__name__ for each in errors.Refusal.__subclasses__() if each.__module__ == errors.__name__] == under_refusal


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_s_body_is_complete_without_words_of_its_own(error: type[TillflowError]) -> None:
    made = error.__new__(error)
    TillflowError.__init__(made)

    body = error_body(made)

    assert set(body) == BODY - {"request_id"}
    assert all(isinstance(value, str) and value for value in body.values())


# --- API Gateway's own ---------------------------------------------------------------------------------------------

RESPONSES: dict[str, dict[str, Any]] = template.resources("AWS::Serverless::Api")["Api"]["GatewayResponses"]
# The status that API Gateway gives each response itself.
DEFAULTS = {"DEFAULT_4XX": 400, "DEFAULT_5XX": 500}


@pytest.mark.parametrize("name", RESPONSES)
def test_a_refusal_of_api_gateway_has_the_one_error_body(name: str) -> None:
    ((media_type, text),) = RESPONSES[name]["ResponseTemplates"].items()
    # API Gateway puts these in: one is text within quotes, the other brings its own.
    filled = text.replace("$context.requestId", "request-1").replace("$context.error.messageString", '"in its words"')

    body = json.loads(filled)

    assert media_type == "application/json"
    assert set(body) == BODY
    assert body["request_id"] == "request-1"
    assert CODE.fullmatch(body["error_code"])


@pytest.mark.parametrize("name", RESPONSES)
def test_a_refusal_of_api_gateway_has_the_status_of_its_code(name: str) -> None:
    status = RESPONSES[name].get("StatusCode", DEFAULTS.get(name))
    code = json.loads(RESPONSES[name]["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '""'))[
        "error_code"
    ]
    same = {error.code: error.status for error in ERRORS if "code" in vars(error)}

    assert same.get(code, status) == status


def test_every_refusal_that_matters_is_worded() -> None:
    """What is not named falls to the defaults, so nothing leaves in API Gateway's own words."""
    assert {"UNAUTHORIZED", "ACCESS_DENIED", "REQUEST_TOO_LARGE", "THROTTLED", "DEFAULT_4XX", "DEFAULT_5XX"} <= set(RESPONSES)


def test_no_blanket_except_outside_the_boundaries() -> None:
    """
    Only the Lambdas' own boundaries catch everything: the HTTP handler answers 500, the queue consumer reports the
    message, as the router does with one of a batch, and what tends consumers with one of them; a saga step logs it and lets
    it out.
    """
    blanket = re.compile(r"except(?: \(?(?:Base)?Exception\b.*)?:")
    catching = {
        path.name for path in (template.ROOT / "layers/shared/tillflow").rglob("*.py") if blanket.search(path.read_text())
    }

    assert catching == {"http.py", "consumer.py", "routing.py", "step.py", "tending.py"}
