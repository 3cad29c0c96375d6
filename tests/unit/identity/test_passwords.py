"""Passwords: what is refused and why, and that what is kept of one says nothing but whether it is right."""

import re
import subprocess
import sys
import unicodedata
from typing import Any, cast

import pytest
from argon2 import low_level
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.template import ROOT
from tillflow.contexts.identity import guessable, passwords
from tillflow.contexts.identity.passwords import WeakPassword

GOOD = "kiosk vexed lunar gravel"
OWN = {"email": "Ada.Lovelace@Analytical.example", "name": "Ada King Lovelace"}


def refusal(password: str, **own: str) -> str | None:
    try:
        passwords.check(password, **(OWN | own))
    except WeakPassword as error:
        return error.message
    return None


# --- what may be one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "fifteen of them",
        "J8#dD02mx!Qz9Lp",
        "пятнадцать слонов",
        "馬馬虎虎的電池釘書針正確無誤啊嗎",
        "🛒🎻🦉🌋🍋🧭🪁🎲🔭🧵🪐🦔🍄🎺🏺",
        "with\u00a0spaces that\u3000are none of ASCII's",
        "the hills are alive with music and lovelace",
    ],
    ids=ascii,
)
def test_any_text_that_is_long_enough_and_hard_to_guess_will_do(password: str) -> None:
    assert refusal(password) is None


def test_256_characters_of_any_script_are_within() -> None:
    longest = "".join(chr(0x4E00 + number * number) for number in range(129)) + "ж" * 127

    assert refusal(longest) is None
    assert "at most 256" in str(refusal(f"{longest}."))


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("fourteen of 'em", None),
        ("fourteen of em", "at least 15"),
        ("", "at least 15"),
        # 20 code points that are 10 characters in normal form C
        ("e\u0301" * 10, "at least 15"),
        ("x1y2" * 64, "guess"),
        (GOOD * 10 + "17 characters more", "at most 256"),
        (f"{GOOD}\n", "control"),
        (f"{GOOD}\x00", "control"),
        (f"{GOOD}\x7f", "control"),
        (f"{GOOD}\u0085", "control"),
        (f"{GOOD}\ud800", "control"),
        (f"{GOOD}\U000e0fff", "control"),
    ],
    ids=ascii,
)
def test_what_is_wrong_with_a_password_s_form_is_told(password: str, says: str | None) -> None:
    told = refusal(password)

    assert told is None if says is None else says in str(told)


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc4rfv",
        "1QAZ2WSX3EDC4RFV",
        "\uff11\uff11\uff11qwertyuiop12345",
        "Mailcreated5240",
        "passwordpassword",
        "PasswordPasswordPass",
        "Password-1234567",
        "!!! monkey monkey 1987",
        "sunshine + 19870412",
        "aaaaaaaaaaaaaaaa",
        "abababbbaababbaa",
        "               ",
        "abcdefghijklmnop",
        "ponmlkjihgfedcba",
        "hunter2hunter2hunter2",
        "Xy7!Xy7!Xy7!Xy7!",
    ],
    ids=ascii,
)
def test_what_everybody_would_guess_first_is_refused(password: str) -> None:
    assert "guess" in str(refusal(password))


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@analytical.example",
        "Ada King Lovelace",
        "AdaKingLovelace",
        "lovelace.ada.1815",
        "analytical-lovelace-99",
        "\uff41\uff44\uff41 king lovelace!",
        "tillflow tillflow 1",
        "Adaadaadaadaadaada",
    ],
)
def test_what_only_its_user_s_name_and_address_make_long_is_refused(password: str) -> None:
    assert "Leave out" in str(refusal(password))


def test_a_common_password_with_its_user_s_name_before_it_is_still_one() -> None:
    assert "guess" in str(refusal("Ada1qaz2wsx3edc4rfv"))


@pytest.mark.parametrize("name", ["A", "Li Bo", "", "@@@ ...", "x" * 100])
def test_a_short_name_is_no_reason_to_refuse_words_that_it_is_in(name: str) -> None:
    assert refusal(GOOD, name=name, email="a@b.example") is None


def test_a_refusal_repeats_no_part_of_the_password() -> None:
    for password in ("zebra", "1qaz2wsx3edc4rfv", "ada.lovelace.12", f"{GOOD}\n", GOOD * 12):
        assert not set(re.findall(r"\w{4,}", password)) & set(re.findall(r"\w{4,}", str(refusal(password))))


def test_the_list_has_more_than_three_thousand_passwords_that_are_long_enough() -> None:
    lines = [line for line in guessable._listed().splitlines() if not line.startswith("# ")]  # noqa: SLF001
    long = [line for line in lines if len(line) >= passwords.SHORTEST]

    assert len(long) >= 9_000
    assert len(lines) - len(long) == 3_000
    assert lines == sorted({guessable.folded(line) for line in lines})
    assert all(refusal(each, email="u@v.example", name="N") for each in long)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_is_refused_or_taken(password: str) -> None:
    told = refusal(password)

    assert told is None or told.endswith(".")
    assert (told is None) <= (15 <= len(unicodedata.normalize("NFC", password)) <= 256 * 3)


# --- what is kept of one --------------------------------------------------------------------------------------------


def test_a_hash_says_owasp_s_parameters_and_a_salt_of_its_own() -> None:
    one, other = passwords.hashed(GOOD), passwords.hashed(GOOD)

    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert passwords.matches(one, GOOD)
    assert passwords.matches(other, GOOD)
    assert not passwords.matches(one, f"{GOOD} ")


@pytest.mark.parametrize(("kept", "shown"), [("caf\u00e9", "cafe\u0301"), ("cafe\u0301", "caf\u00e9"), ("\u212b", "\u00c5")])
def test_one_text_is_one_password_however_it_is_composed(kept: str, shown: str) -> None:
    assert passwords.matches(passwords.hashed(kept + GOOD), shown + GOOD)


def test_no_character_of_a_long_password_is_without_effect() -> None:
    long = "ж" * 255

    assert not passwords.matches(passwords.hashed(f"{long}a"), f"{long}b")
    assert not passwords.matches(passwords.hashed("a\x00b"), "a\x00c")


@pytest.mark.parametrize("sent", ["", "\x00", "\ud800", "x" * 100_000])
def test_odd_text_matches_nothing(sent: str) -> None:
    assert not passwords.matches(passwords.hashed(GOOD), sent)


def test_nobody_s_password_is_never_right_and_that_is_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    worked = []
    verify = low_level.verify_secret

    def noted(kept: bytes, *rest: Any) -> bool:
        worked.append(kept)
        return verify(kept, *rest)

    monkeypatch.setattr("argon2._password_hasher.verify_secret", noted)

    assert not passwords.matches(None, GOOD)
    assert not passwords.matches(passwords.hashed("another"), GOOD)

    nobody, somebody = (kept.decode().split("$") for kept in worked)
    assert nobody[:4] == somebody[:4]
    assert [len(part) for part in nobody] == [len(part) for part in somebody]


def test_a_hash_of_other_parameters_still_matches_and_is_outdated(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(passwords, "MEMORY_KIB", 8_192)
        old = passwords.hashed(GOOD)

    assert passwords.matches(old, GOOD)
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hashed(GOOD))


def test_another_implementation_makes_the_same_hash() -> None:
    made = Argon2id(salt=b"a salt of ours.!", length=32, iterations=2, lanes=1, memory_cost=19_456)

    assert passwords.matches(made.derive_phc_encoded(GOOD.encode()), GOOD)


def test_the_library_makes_rfc_9106_s_argon2id() -> None:
    """RFC 9106, 5.3: it has a secret and associated data, which only the library's own ground floor takes."""
    ffi, lib = low_level.ffi, cast("Any", low_level).lib
    fields = {"out": bytes(32), "pwd": b"\1" * 32, "salt": b"\2" * 16, "secret": b"\3" * 8, "ad": b"\4" * 12}
    buffers = {name: ffi.new("uint8_t[]", value) for name, value in fields.items()}
    lengths = {f"{name}len": len(value) for name, value in fields.items()}
    costs = {"t_cost": 3, "m_cost": 32, "lanes": 4, "threads": 1, "version": 0x13, "flags": lib.ARGON2_DEFAULT_FLAGS}
    context = ffi.new("argon2_context *", buffers | lengths | costs | {"allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL})

    assert low_level.core(context, low_level.Type.ID.value) == lib.ARGON2_OK
    tag = bytes(ffi.buffer(buffers["out"]))[:32]
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_who_only_checks_a_password_s_form_imports_no_argon2() -> None:
    code = "import sys; from tillflow.contexts.identity import passwords; sys.exit('argon2' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "layers" / "shared", check=False).returncode == 0
