"""
What somebody would guess first: common passwords and what is made of one, and the user's own words.

Texts come here folded. `common_passwords.txt` says where the list is from.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

_LIST = Path(__file__).with_name("common_passwords.txt")
_FEWEST_DIFFERENT = 5
# A shorter part of a name is in too many words.
_SHORTEST_OWN = 3
_SERVICE = "tillflow"
_NO_LETTERS = re.compile(r"[\W\d_]+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """Return *text* as guesses are compared: whatever its case, and however wide it is written."""
    return unicodedata.normalize("NFKC", text).casefold()


def is_common(text: str, shortest: int) -> bool:
    """
    Tell whether *text* is one of the first guesses of whoever tries.

    That is: on the list; a word of the list, once or repeated, with digits and signs in between; something of fewer than
    *shortest* characters, repeated; a run of characters such as `abcdefghijklmno`; fewer than five different characters.
    """
    unit = _unit(text)
    return (
        len(set(text)) < _FEWEST_DIFFERENT
        or _is_run(text)
        or _is_listed(text)
        or (unit != text and len(unit) < shortest)
        or _is_listed(_unit(_NO_LETTERS.sub("", text)))
    )


def without_own(text: str, *, email: str, name: str) -> str:
    """Return what *text* has beside its user's *name* and *email*, the parts of these, and this service's name."""
    local, _, domain = folded(email).partition("@")
    named = folded(name)
    whole = (folded(email), local, domain, named, _SERVICE)
    # The last label of a domain is no word of its user's.
    parts = [*_BETWEEN_WORDS.split(local), *_BETWEEN_WORDS.split(named), *domain.split(".")[:-1]]
    run_together = (_BETWEEN_WORDS.sub("", each) for each in (local, named))
    for own in sorted({*whole, *parts, *run_together}, key=len, reverse=True):
        if len(own) >= _SHORTEST_OWN:
            text = text.replace(own, "")
    return text


def _unit(text: str) -> str:
    """Return the shortest text that *text* is a repetition of (its last may be cut off); *text* itself where it is none."""
    for length in range(1, len(text) // 2 + 1):
        if text[length:] == text[:-length]:
            return text[:length]
    return text


def _is_run(text: str) -> bool:
    return len({ord(after) - ord(before) for before, after in pairwise(text)}) == 1


def _is_listed(text: str) -> bool:
    return f"\n{text}\n" in _listed() if text else False


@cache
def _listed() -> str:
    return _LIST.read_text(encoding="utf-8")
