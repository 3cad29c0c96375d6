"""The refresh machine, whoever comes with which token and when: an honest client is never thrown out, a thief soon is."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from tillflow.contexts.identity import refreshing
from tillflow.contexts.identity.refreshing import FIRST, GRACE_MS, MOST_REISSUES, Generations, Stolen
from tillflow.contexts.identity.refusals import InvalidRefreshToken

# Milliseconds between two requests: at once, soon, at the edges, much later.
PAUSES = st.sampled_from([0, 1, 500, GRACE_MS - 1, GRACE_MS, GRACE_MS + 1, 900_000])


@dataclass
class Server:
    """A session, and what it is told."""

    now: int = 1_000_000
    known: Generations = field(default_factory=lambda: refreshing.begun(1_000_000))
    revoked: bool = False

    def refresh(self, generation: int, *, arrived: int | None = None) -> int | None:
        """Return the generation of the token that is answered, or None: refused."""
        if self.revoked:
            return None
        try:
            self.known = refreshing.presented(
                self.known, generation, arrived=self.now if arrived is None else arrived, now=self.now
            )
        except Stolen:
            self.revoked = True
            return None
        except InvalidRefreshToken:
            return None
        return self.known.current


@given(st.lists(st.tuples(PAUSES, st.booleans()), max_size=40))
@settings(max_examples=400)
def test_who_sends_again_what_was_not_answered_is_never_thrown_out(refreshes: list[tuple[int, bool]]) -> None:
    """One client, whose answers are lost or not: it uses the last token that it got."""
    server, holds = Server(), FIRST
    for pause, is_lost in refreshes:
        server.now += pause
        answered = server.refresh(holds)
        assert not server.revoked
        if answered is not None and not is_lost:
            holds = answered
    server.now += GRACE_MS + 1
    assert server.refresh(holds) is not None


@given(st.lists(st.tuples(PAUSES, st.sampled_from(["owner", "thief"])), max_size=40))
@settings(max_examples=600)
def test_owner_and_thief_are_never_both_in_for_longer_than_one_rotation(turns: list[tuple[int, str]]) -> None:
    server = Server()
    holds = {"owner": FIRST, "thief": FIRST}
    alone = {"owner": 0, "thief": 0}  # rotations since the other was last answered
    for pause, who in turns:
        other = "thief" if who == "owner" else "owner"
        server.now += pause
        before = server.known.current
        answered = server.refresh(holds[who])
        if server.revoked:
            # Then nobody is in, whatever they hold.
            assert all(server.refresh(each) is None for each in holds.values())
            return
        if answered is None:
            continue
        holds[who] = answered
        alone[who], alone[other] = alone[who] + (server.known.current != before), 0
        if alone[who] > 1:
            assert holds[other] not in (server.known.current, server.known.previous), "out, at its next word, with the session"


@given(st.integers(2, 6), st.lists(PAUSES, min_size=12, max_size=12))
def test_whoever_is_two_rotations_behind_ends_the_session(rotations: int, pauses: list[int]) -> None:
    server, owner, thief = Server(), FIRST, FIRST
    for pause in pauses[:rotations]:
        server.now += pause
        owner = server.refresh(owner) or owner
    assert server.refresh(thief) is None
    assert server.revoked
    assert server.refresh(owner) is None


def test_a_lost_successor_is_poisoned_when_its_parent_comes_late() -> None:
    server = Server()
    lost = server.refresh(FIRST)
    server.now += GRACE_MS + 1
    assert lost
    recovered = server.refresh(FIRST)
    assert recovered not in (None, lost)
    assert server.refresh(lost) is None
    assert server.revoked


def test_within_the_grace_the_successor_is_the_same_and_told_ten_times_more() -> None:
    server = Server()
    successor = server.refresh(FIRST)
    for _ in range(MOST_REISSUES):
        server.now += 1
        assert server.refresh(FIRST) == successor
    server.now += 1
    assert server.refresh(FIRST) is None
    assert not server.revoked
    assert server.refresh(successor or 0) is not None


def test_twenty_at_once_are_all_answered_with_the_same() -> None:
    """They come within a second, one after another, and each takes a fifth of one: nobody waits for another's answer."""
    server = Server()
    came = server.now
    answered = []
    for number in range(20):
        server.now = came + 50 * number + 200
        answered.append(server.refresh(FIRST, arrived=came + 50 * number))
    assert answered == [FIRST + 1] * 20
    assert not server.revoked
