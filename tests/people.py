"""People with accounts, as tests need them: they register, open their mail, log in and call, through the real authorizer."""

import json
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

from tests import template
from tests.world import Answer, World, http_event
from tillflow.contexts.identity import codes, tables
from tillflow.contexts.identity.codes import Purpose
from tillflow.storage import database

PASSWORD = "a lamp on the green desk"
OTHER_PASSWORD = "two lamps on the brown desk"
SESSION = {"access_token": ANY, "refresh_token": ANY, "token_type": "Bearer", "expires_in": 900}


@dataclass
class Person:
    """Somebody in *world*: who they are, and the tokens that they were last answered with."""

    world: World
    email: str = "ada@example.com"
    password: str = PASSWORD
    name: str = "Ada Lovelace"
    address: str = "203.0.113.7"
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        found = database.get("IdentityTable", tables.email_key(self.email.lower()))
        assert found
        return str(found["user_id"])

    def send(self, route: str, body: object = None, **parts: Any) -> Answer:
        """Send a request without a credential."""
        return self.world.call(route, roles=None, body=body, address=self.address, **parts)

    def call(self, route: str, body: object = None, *, token: str | None = None, **parts: Any) -> Answer:
        """Send a request with the access token (or another), through the authorizer."""
        return authorized(self.world, route, token or self.tokens["access_token"], body, address=self.address, **parts)

    def register(self) -> Answer:
        return self.send("POST /v1/auth/register", {"email": self.email, "password": self.password, "name": self.name})

    def mailed(self, purpose: Purpose) -> str:
        """Return the token of the last link of this kind that was asked for."""
        codes_of = [
            item
            for item in self.world.items("IdentityTable")
            if item.get("purpose") == purpose and item["user_id"] == self.user_id
        ]
        newest = max(codes_of, key=lambda item: int(item["expires_at"]))
        return codes.token_of(tables.code_id_of(newest), purpose, self.user_id)

    def verify(self) -> Answer:
        return self.send("POST /v1/auth/email/verify", {"token": self.mailed(Purpose.VERIFY)})

    def log_in(self, password: str | None = None, **parts: Any) -> Answer:
        answer = self.send("POST /v1/auth/login", {"email": self.email, "password": password or self.password}, **parts)
        if answer.status == 200 and "access_token" in answer.json:
            self.tokens = answer.json
        return answer

    def refresh(self, token: str | None = None, **parts: Any) -> Answer:
        answer = self.send("POST /v1/auth/refresh", {"refresh_token": token or self.tokens["refresh_token"]}, **parts)
        if answer.status == 200:
            self.tokens = answer.json
        return answer


def member(world: World, name: str = "ada", roles: tuple[str, ...] = ()) -> Person:
    """Return somebody who has registered, opened the mail's link and logged in; with *roles*, if they were given some."""
    person = Person(world, email=f"{name}@example.com", name=name.title())
    assert person.register().status == 202
    assert person.verify().status == 200
    if roles:
        answer = world.call("PUT /v1/users/{id}/roles", roles=["admin"], path={"id": person.user_id}, body={"roles": list(roles)})
        assert answer.status == 200, answer
    assert person.log_in().status == 200
    return person


def first_administrator(world: World) -> Person:
    """Return the first administrator, logged in."""
    person = Person(world, email="admin@example.com", name="Administrator")
    wanted = {"email": person.email, "password": person.password, "name": person.name}
    assert world.invoke("identity/create_first_administrator", wanted) == {"status": "created"}
    assert person.log_in().status == 200
    return person


def authorized(world: World, route: str, token: str, body: object = None, **parts: Any) -> Answer:
    """Send a request with a bearer token as API Gateway does: through the authorizer, and on to the function if it lets it."""
    return through_authorizer(world, route, {"Authorization": f"Bearer {token}"} | parts.pop("headers", {}), body, **parts)


def through_authorizer(world: World, route: str, headers: dict[str, str], body: object = None, **parts: Any) -> Answer:
    """Send a request with whatever credential its *headers* have."""
    event = http_event(route, roles=None, body=body, headers=headers, **parts)
    arn = f"arn:aws:execute-api:us-east-1:123456789012:api/prod/{route.replace(' /', '/')}"
    try:
        policy = world.invoke("identity/authorize", event | {"methodArn": arn, "type": "REQUEST"})
    except Exception as error:  # noqa: BLE001 - API Gateway's word for 401 is any that says so
        assert str(error) == "Unauthorized", error  # noqa: PT017 - anything else is a 500
        return Answer(401, {}, json.dumps({"message": "Unauthorized"}))
    event["requestContext"]["authorizer"] = {"principalId": policy["principalId"]} | policy["context"]
    name = next(function.name for function in template.functions().values() if route in function.routes)
    return world.answer(name, event)
