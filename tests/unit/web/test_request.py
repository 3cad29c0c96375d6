"""Who sent a request, as far as the network tells, and what the errors of one say beside their body."""

import pytest

from tests.world import Context, http_event
from tillflow.errors import Invalid, TillflowError, TooMany, Unavailable
from tillflow.web import openapi
from tillflow.web.http import Api
from tillflow.web.request import Request


def request(**parts: object) -> Request:
    return Request.of(http_event("GET /", **parts), Invalid)  # type: ignore[arg-type]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "CF-Connecting-IP"])
def test_no_header_says_where_a_request_comes_from(header: str) -> None:
    assert request(address="192.0.2.1", headers={header: "198.51.100.9"}).address == "192.0.2.1"


def test_what_a_client_says_that_it_is_can_be_shown() -> None:
    assert request(headers={"user-agent": "curl/8\n\x1b[31m\u202e" + "x" * 999}).user_agent == "curl/8[31m" + "x" * 246
    assert request().user_agent == ""


@pytest.mark.parametrize(("error", "seconds"), [(Unavailable(), "1"), (TooMany(retry_after=17), "17"), (Invalid(), None)])
def test_an_error_says_when_the_same_may_be_sent_again(
    error: TillflowError, seconds: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openapi, "NOTED", {})  # this route is no part of the API
    api = Api()

    @api.route("GET /")
    def refuse(_: Request) -> dict[str, object]:
        raise error

    answer = api.handler(http_event("GET /"), Context())

    assert (answer["statusCode"], answer["headers"].get("Retry-After")) == (error.status, seconds)
