"""Rotation of the keys of tokens: in four steps, each of which may run again or late; no live token is ever refused for it."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature

from tests.world import ACCESS_KEY, World
from tillflow.contexts.identity import jwks, keyring, rotation, tables, tokens
from tillflow.runtime import aws, secrets
from tillflow.storage.attributes import to_item
from tillflow.values import clock, ids

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
DAY = 24 * 3600
MONTH = 30 * DAY
FIRST, SECOND = (ids.derived("version", name) for name in ("first", "second"))


class Clocks:
    """Both clocks, which go on when they are told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self._ticks = datetime(2026, 3, 1, tzinfo=UTC), 1_000.0
        patch.setattr(clock, "now", lambda: self.now)
        patch.setattr(clock, "monotonic", lambda: self._ticks)

    def go(self, seconds: float) -> None:
        self.now, self._ticks = self.now + timedelta(seconds=seconds), self._ticks + seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def step(world: World, name: str, version: str = FIRST, secret: str = "AccessKeySecret") -> None:
    world.invoke("identity/rotate_keys", {"Step": name, "SecretId": secret, "ClientRequestToken": version})


def rotate(world: World, version: str = FIRST, secret: str = "AccessKeySecret") -> None:
    for name in STEPS:
        step(world, name, version, secret)


def held(world: World, secret: str = "AccessKeySecret", **which: str) -> list[str]:
    """Return the names of the keys in a secret, newest first."""
    found = aws.client("secretsmanager").get_secret_value(
        SecretId=world.secret_arns[secret], **(which or {"VersionStage": "AWSCURRENT"})
    )
    return [key.kid for key in keyring.read(found["SecretString"].encode())]


def published(world: World, kind: str = "access") -> list[str]:
    (item,) = [item for item in world.items("IdentityTable") if item["pk"] == "JWKS"]
    return [key["kid"] for key in item[kind]]


def kid_of(text: str) -> str:
    header: dict[str, str] = json.loads(base64.urlsafe_b64decode(text.split(".", maxsplit=1)[0] + "=="))
    return header["kid"]


def test_a_rotation_adds_a_key_and_leaves_the_other_kind_alone(world: World) -> None:
    refresh = held(world, "RefreshKeySecret"), published(world, "refresh")

    rotate(world)

    assert held(world) == published(world)
    assert held(world)[1:] == [ACCESS_KEY.kid]
    assert (held(world, "RefreshKeySecret"), published(world, "refresh")) == refresh


def test_a_key_is_published_before_it_can_sign(world: World) -> None:
    step(world, "createSecret")
    assert (held(world), published(world)) == ([ACCESS_KEY.kid], [ACCESS_KEY.kid])

    step(world, "setSecret")
    assert (len(held(world)), len(published(world))) == (1, 2)
    step(world, "testSecret")
    assert len(held(world)) == 1

    step(world, "finishSecret")
    assert len(held(world)) == 2


@pytest.mark.parametrize("again", STEPS)
def test_each_step_may_run_again_at_once_and_when_all_is_done(world: World, again: str) -> None:
    for name in STEPS[: STEPS.index(again) + 1]:
        step(world, name)
    made = held(world, VersionId=FIRST)
    step(world, again)
    for name in STEPS[STEPS.index(again) + 1 :]:
        step(world, name)
    step(world, again)

    assert held(world) == published(world) == made


@pytest.mark.parametrize("name", STEPS[1:3])
def test_a_step_out_of_turn_is_refused(world: World, name: str) -> None:
    with pytest.raises(rotation.NotOurs):
        step(world, name)
    assert (held(world), published(world)) == ([ACCESS_KEY.kid], [ACCESS_KEY.kid])


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_comes_after_another_rotation_changes_nothing(world: World, clocks: Clocks, name: str) -> None:
    step(world, "createSecret")
    clocks.go(60)
    rotate(world, SECOND)
    newest = held(world)

    if name in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(rotation.NotOurs):
            step(world, name)
    else:
        step(world, name)

    assert held(world) == published(world) == newest


def test_a_key_that_is_published_as_another_is_never_current(world: World) -> None:
    for name in STEPS[:2]:
        step(world, name)
    (item,) = [item for item in world.items("IdentityTable") if item["pk"] == "JWKS"]
    item["access"][0] |= {name: item["access"][1][name] for name in ("x", "y")}
    world.put("IdentityTable", to_item(item))

    with pytest.raises(InvalidSignature):
        step(world, "testSecret")


@pytest.mark.parametrize(
    ("event", "words"),
    [({"Step": "deleteSecret"}, "no step deleteSecret"), ({"SecretId": "ServiceTokenSecret"}, "holds no keys")],
)
def test_what_is_no_rotation_of_ours_is_refused(world: World, event: dict[str, str], words: str) -> None:
    sent = {"Step": "createSecret", "SecretId": "AccessKeySecret", "ClientRequestToken": FIRST} | event

    with pytest.raises(rotation.NotOurs, match=words):
        world.invoke("identity/rotate_keys", sent)


def test_where_there_are_no_keys_the_first_rotation_makes_them(world: World) -> None:
    for secret in ("AccessKeySecret", "RefreshKeySecret"):
        aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns[secret], SecretString='{"keys": []}')
        rotate(world, ids.derived("version", secret), secret)

    now = clock.now()
    assert tokens.read_access(tokens.access("u", "s", (), now))
    assert tokens.read_refresh(tokens.refresh("u", "s", 1, now, clock.epoch(now) + 9))


def test_every_token_outlives_every_rotation(world: World, clocks: Clocks) -> None:
    """Two rotations in a month, and whatever the functions keep: what was signed before, between and after is valid."""
    living: list[tuple[datetime, str, str]] = []

    def sign() -> None:
        now, end = clocks.now, clock.epoch(clocks.now) + MONTH
        living.append((now, tokens.access("u", "s", (), now), tokens.refresh("u", "s", len(living), now, end)))

    def check() -> None:
        for at, access, refresh in living:
            assert tokens.read_refresh(refresh)
            assert bool(tokens.read_access(access)) is ((clocks.now - at).total_seconds() < tokens.ACCESS_SECONDS)

    for version in (FIRST, SECOND):
        for seconds in (0, 1, 299, 301, 600, 900, 1_200):
            sign()
            check()
            clocks.go(seconds)
        for secret in ("AccessKeySecret", "RefreshKeySecret"):
            rotate(world, ids.derived(version, secret), secret)
        for seconds in (0, 1, 10, 299, 301, 600, 900, 10 * DAY):
            sign()
            check()
            clocks.go(seconds)

    assert len({kid_of(refresh) for _, _, refresh in living}) == 3
    assert len({kid_of(access) for _, access, _ in living}) == 3


def test_the_same_generation_is_the_same_token_for_who_has_seen_a_rotation_and_who_has_not(world: World, clocks: Clocks) -> None:
    def token() -> str:
        return tokens.refresh("u", "s", 1, clocks.now, clock.epoch(clocks.now) + MONTH)

    before = token()  # this process now keeps the keys
    rotate(world, secret="RefreshKeySecret")
    clocks.go(299)
    unaware = token()
    secrets.forget()

    assert token() == unaware != before
    assert {kid_of(unaware), kid_of(before)} == {held(world, "RefreshKeySecret")[1]}


def test_keys_that_are_taken_away_open_nothing_five_minutes_later(world: World, clocks: Clocks) -> None:
    """A stolen key: an empty set, and a rotation at once (docs/adr/0018)."""
    stolen = tokens.access("u", "s", (), clocks.now)
    assert tokens.read_access(stolen)
    aws.client("secretsmanager").put_secret_value(SecretId=world.secret_arns["AccessKeySecret"], SecretString='{"keys": []}')
    rotate(world)

    clocks.go(jwks.KEPT_SECONDS)
    assert tokens.read_access(stolen) is None
    assert tokens.read_access(tokens.access("u", "s", (), clocks.now))


# --- what anybody may ask -----------------------------------------------------------------------------------------


def test_the_public_keys_are_those_of_access_tokens_and_may_be_kept(world: World) -> None:
    rotate(world)

    answer = world.call("GET /.well-known/jwks.json", roles=None)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert [key["kid"] for key in answer.json["keys"]] == held(world)
    for key in answer.json["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert keyring.thumbprint({name: key[name] for name in ("kty", "crv", "x", "y")}) == key["kid"]


def test_before_there_are_keys_the_set_is_empty(world: World) -> None:
    aws.client("dynamodb").delete_item(TableName="IdentityTable", Key=to_item(tables.jwks_key()))

    assert world.call("GET /.well-known/jwks.json", roles=None).json == {"keys": []}
