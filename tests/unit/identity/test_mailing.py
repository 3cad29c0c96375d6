"""Mails: each goes to whom its code is for, while that is good, once; and no log knows where it went or what it opens."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.world import World
from tillflow.contexts.identity import codes, events, letters, users
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.identity.refusals import InvalidCode
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws
from tillflow.runtime.invocation import logger
from tillflow.storage.commit import Commit
from tillflow.values import clock, ids

ADDRESS = "ada.lovelace@example.com"
TOKEN = re.compile(r"[?]token=([A-Za-z0-9_.-]+)$", re.MULTILINE)


class Post:
    """Stands where SES is: keeps each mail, or does what *refuses* has it do."""

    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []
        self.refuses: list[Exception] = []

    def send_email(self, **mail: Any) -> dict[str, str]:
        if self.refuses:
            raise self.refuses.pop(0)
        self.mails.append(mail)
        return {"MessageId": "1"}

    def text(self, number: int = -1) -> str:
        return str(self.mails[number]["Content"]["Simple"]["Body"]["Text"]["Data"])


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    stand_in, client = Post(), aws.client("sesv2")
    with patch.object(client, "send_email", stand_in.send_email):
        yield stand_in
    del world


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keep = Keep()
    keep.setFormatter(logger.registered_formatter)
    logger.addHandler(keep)
    yield lines
    logger.handlers.remove(keep)


def user(**what: Any) -> User:
    fields: dict[str, Any] = {"email": ADDRESS, "disabled": False} | what
    made = User(ids.new(), fields["email"], "Ada", ("buyer",), "a hash", False, fields["disabled"], 0, clock.iso(clock.now()))
    commit = Commit(cause())
    users.add(commit, made)
    commit.write()
    return made


def cause() -> Cause:
    return Cause("anonymous", (), ids.new())


def code_for(user_id: str, purpose: Purpose = Purpose.VERIFY) -> str:
    commit = Commit(cause())
    code_id = codes.issue(commit, purpose, user_id, cause())
    commit.write()
    return code_id


def deliver(world: World, code_id: str, user_id: str, purpose: str = "verify") -> bool:
    """Hand the event to its consumer; return whether it is done with it."""
    event = events.mail_requested(code_id, purpose, user_id)
    detail = {
        "event_id": ids.new(),
        "event_type": event.type,
        "occurred_at": clock.iso(clock.now()),
        "trace_id": ids.new(),
        "identity": {"user_id": "anonymous", "roles": []},
        "data": dict(event.data),
        "version": 1,
    }
    records = [{"messageId": "1", "body": json.dumps({"detail": detail})}]
    return not world.invoke("identity/on_mail_requested", {"Records": records})["batchItemFailures"]


@pytest.mark.parametrize("purpose", [Purpose.VERIFY, Purpose.RESET])
def test_a_mail_s_link_opens_what_its_code_is_for(world: World, post: Post, purpose: Purpose) -> None:
    somebody = user()
    assert deliver(world, code_for(somebody.user_id, purpose), somebody.user_id, purpose)

    (mail,) = post.mails
    assert mail["Destination"] == {"ToAddresses": [ADDRESS]}
    assert mail["FromEmailAddress"] == "no-reply@example.com"
    (token,) = TOKEN.findall(post.text())
    assert codes.opened(token, purpose, InvalidCode())["user_id"] == somebody.user_id
    assert token in mail["Content"]["Simple"]["Body"]["Html"]["Data"]


def test_a_mail_that_an_address_is_taken_opens_nothing(world: World, post: Post) -> None:
    somebody = user()
    assert deliver(world, code_for(somebody.user_id, Purpose.TAKEN), somebody.user_id, "taken")

    assert "https://example.com/login" in post.text()
    assert not TOKEN.findall(post.text())


def test_an_event_that_comes_again_sends_no_second_mail(world: World, post: Post) -> None:
    somebody = user()
    code_id = code_for(somebody.user_id)

    assert [deliver(world, code_id, somebody.user_id) for _ in range(3)] == [True] * 3

    assert len(post.mails) == 1


def test_what_need_not_be_sent_any_more_is_not(world: World, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody, other, gone = user(), user(email="bob@example.com"), user(email="carl@example.com", disabled=True)
    used, late = code_for(somebody.user_id), code_for(somebody.user_id)
    commit = Commit(cause())
    code = codes.opened(codes.token_of(used, Purpose.VERIFY, somebody.user_id), Purpose.VERIFY, InvalidCode())
    codes.use(commit, code, cause(), InvalidCode())
    commit.write()

    assert deliver(world, used, somebody.user_id)
    assert deliver(world, code_for(somebody.user_id), other.user_id)
    assert deliver(world, code_for(somebody.user_id), somebody.user_id, "reset")
    assert deliver(world, ids.short(ids.new()), somebody.user_id)
    assert deliver(world, code_for(gone.user_id), gone.user_id)
    assert deliver(world, code_for(ids.derived("nobody", "x")), ids.derived("nobody", "x"))
    after = clock.now() + timedelta(hours=24)
    monkeypatch.setattr(clock, "now", lambda: after)
    assert deliver(world, late, somebody.user_id)

    assert post.mails == []


@pytest.mark.parametrize("code", ["BadRequestException", "MessageRejected"])
def test_what_ses_will_never_take_steps_aside_for_the_rest(world: World, post: Post, logged: list[str], code: str) -> None:
    somebody = user()
    post.refuses = [ClientError({"Error": {"Code": code, "Message": f"Address not fine: {ADDRESS}"}}, "SendEmail")]

    assert deliver(world, code_for(somebody.user_id), somebody.user_id)

    assert post.mails == []
    assert "SES will never take it" in "".join(logged)
    assert ADDRESS not in "".join(logged)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ADDRESS}}, "SendEmail"),
        ClientError({"Error": {"Code": "LimitExceededException", "Message": ADDRESS}}, "SendEmail"),
        ClientError({"Error": {"Code": "SendingPausedException", "Message": ADDRESS}}, "SendEmail"),
        ClientError(
            {"Error": {"Code": "MessageRejected", "Message": f"Not verified: no-reply@example.com, {ADDRESS}"}}, "SendEmail"
        ),
        ReadTimeoutError(endpoint_url="https://email"),
    ],
    ids=str,
)
def test_what_ses_does_not_take_now_comes_again(world: World, post: Post, logged: list[str], error: Exception) -> None:
    somebody = user()
    code_id = code_for(somebody.user_id)
    post.refuses = [error]

    assert not deliver(world, code_id, somebody.user_id)
    assert deliver(world, code_id, somebody.user_id)

    assert len(post.mails) == 1
    assert ADDRESS not in "".join(logged)


def test_no_log_has_an_address_a_code_or_a_token(world: World, post: Post, logged: list[str]) -> None:
    somebody = user()
    code_id = code_for(somebody.user_id)
    deliver(world, code_id, somebody.user_id)

    (token,) = TOKEN.findall(post.text())
    assert "mail sent" in "".join(logged)
    for secret in (ADDRESS, code_id, token, token.partition(".")[2]):
        assert secret not in "".join(logged)


def test_an_event_that_is_not_identity_s_form_is_not_believed(world: World, post: Post) -> None:
    somebody = user()
    code_id = code_for(somebody.user_id)

    for data in ((code_id, "mfa"), (f"{code_id}/..", "verify"), ("", "verify")):
        assert not deliver(world, data[0], somebody.user_id, data[1])

    assert post.mails == []


class Shown(HTMLParser):
    """What a mail's HTML links to and says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.said = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if (tag, name) == ("a", "href")]

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.mark.parametrize("purpose", [Purpose.VERIFY, Purpose.RESET, Purpose.TAKEN])
def test_text_and_html_say_the_same_and_lead_to_one_place(purpose: Purpose) -> None:
    made = letters.letter(purpose, "https://shop.example/a?b=1&c='\"<x>", "t.o-k_en")
    shown, (before, link, after) = Shown(made.html), made.text.strip().split("\n\n")

    assert shown.links == [link]
    assert all(each in shown.said for each in (made.subject, before, link, after))
    assert "<x>" not in made.html
    assert ("24 hours" in before) == (purpose is Purpose.VERIFY)
    assert ("30 minutes" in before) == (purpose is Purpose.RESET)
