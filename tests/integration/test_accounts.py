"""Accounts over HTTP: registered by mail, logged in to, refreshed by many at once, and ended on every route."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import pytest

from local.wait import until
from tests.integration.behind import SECONDS, Behind
from tests.integration.scene import Json, Scene, refused, unique

PASSWORD, OTHER_PASSWORD = "a lamp on the green desk", "two lamps on the brown desk"
AT_ONCE = 20
TOKEN = re.compile(r"\?token=([A-Za-z0-9._-]+)")


@dataclass
class Person:
    """Somebody who has an address."""

    scene: Scene
    email: str = field(default_factory=lambda: f"{unique('ada')}@example.com")
    tokens: Json = field(default_factory=dict)

    def send(self, path: str, **body: str) -> httpx.Response:
        answer = self.scene.anonymous.post(f"/v1/auth/{path}", json=body)
        if answer.status_code == HTTPStatus.OK and "access_token" in answer.json():
            self.tokens = answer.json()
            self.scene.secrets += [self.tokens["access_token"], self.tokens["refresh_token"]]
        return answer

    def call(self, method: str, path: str, **body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return self.scene.anonymous.request(method, path, json=body or None, headers=headers)

    def register(self) -> httpx.Response:
        return self.send("register", email=self.email, password=PASSWORD, name="Ada Lovelace")

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.send("login", email=self.email, password=password)

    def mailed(self, number: int = 1) -> str:
        """Return the token of the link in the *number*-th mail."""

        def link() -> str | None:
            mails = self.mails()
            return TOKEN.findall(mails[number - 1])[0] if len(mails) >= number else None

        token = until(link, seconds=SECONDS, what=f"mail {number} to {self.email}")
        self.scene.secrets.append(token)
        return token

    def mails(self) -> list[str]:
        """Return every mail that was sent here, as text."""
        sent = httpx.get(f"{self.scene.stack.endpoint_url}/_ministack/ses/messages").json()["messages"]
        messages = [each for account in sent.values() for each in account] if isinstance(sent, dict) else sent
        return [str(each) for each in messages if self.email in str(each)]


@pytest.fixture
def ada(scene: Scene) -> Person:
    """Somebody who has registered, opened their mail and logged in."""
    person = Person(scene)
    scene.secrets += [PASSWORD, person.email]
    assert person.register().status_code == 202
    assert person.send("email/verify", token=person.mailed()).status_code == 200
    assert person.log_in().status_code == 200
    return person


@pytest.fixture
def admin(scene: Scene) -> Person:
    """The first administrator."""
    person = Person(scene, scene.stack.admin_email)
    scene.secrets += [scene.stack.admin_password, person.email]
    assert person.log_in(scene.stack.admin_password).status_code == 200
    return person


def test_who_registers_opens_the_mail_logs_in_and_is_known(ada: Person) -> None:
    me = ada.call("GET", "/v1/users/me").json()

    assert (me["email"], me["name"], me["roles"], me["email_verified"]) == (ada.email, "Ada Lovelace", ["buyer"], True)
    assert ada.call("GET", f"/v1/users/{me['id']}").json() == me


def test_who_registers_again_is_told_by_mail_alone(ada: Person) -> None:
    assert ada.register().json() == {"status": "accepted"}
    until(lambda: len(ada.mails()) > 1 or None, seconds=SECONDS, what="the mail that says so")
    assert ada.log_in().status_code == 200


def test_a_reset_by_mail_ends_every_session(ada: Person) -> None:
    ada.send("password/reset", email=ada.email)
    answer = ada.send("password/reset/confirm", token=ada.mailed(2), password=OTHER_PASSWORD)

    assert (answer.status_code, answer.text) == (204, "")
    refused(ada.send("refresh", refresh_token=ada.tokens["refresh_token"]), 401)
    refused(ada.log_in(), 401)
    assert ada.log_in(OTHER_PASSWORD).status_code == 200


def test_many_refreshes_at_once_leave_one_session_and_nobody_without(ada: Person) -> None:
    token = ada.tokens["refresh_token"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: ada.send("refresh", refresh_token=token), range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert [each["current"] for each in ada.call("GET", "/v1/auth/sessions").json()["items"]] == [True]
    assert ada.send("refresh", refresh_token=ada.tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda ada, _: ada.call("POST", "/v1/auth/logout"),
        lambda ada, admin: admin.call("POST", f"/v1/users/{ada.call('GET', '/v1/users/me').json()['id']}/disable"),
    ],
    ids=["logged out", "disabled"],
)
def test_a_session_that_is_over_opens_nothing_that_hurts_at_once(
    ada: Person, admin: Person, end: Callable[[Person, Person], httpx.Response]
) -> None:
    assert end(ada, admin).is_success
    answer = ada.call("POST", "/v1/auth/password", current_password=PASSWORD, new_password=OTHER_PASSWORD)

    assert answer.status_code == 401
    refused(ada.send("refresh", refresh_token=ada.tokens["refresh_token"]), 401)


def test_what_a_login_opens_is_what_the_user_s_roles_say_now(ada: Person, admin: Person) -> None:
    user_id = ada.call("GET", "/v1/users/me").json()["id"]
    assert admin.call("PUT", f"/v1/users/{user_id}/roles", roles=["manager"]).json()["roles"] == ["manager"]
    assert ada.log_in().status_code == 200

    assert ada.call("GET", "/api/v1/warehouses").status_code == 200
    refused(ada.call("GET", "/v1/users"), 403)


def test_no_event_and_no_table_but_its_own_has_an_address_or_what_opens_anything(ada: Person, behind: Behind) -> None:
    opens = [ada.email, PASSWORD, ada.tokens["refresh_token"], ada.mailed()]
    for table in behind.stack.tables:
        if table != "IdentityTable":
            stored = str(list(behind.items(table)))
            assert not [text for text in opens if text in stored], table
    assert not [text for text in opens[1:] if text in str(list(behind.items("IdentityTable")))]
