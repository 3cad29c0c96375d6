"""The cart service's signature: vectors that any language can be held to (vectors/cart_snapshot_signatures.json)."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from local.shop import cart
from tillflow.contexts.orders.rules import InvalidSnapshot, sign

PATH = Path(__file__).parent / "vectors" / "cart_snapshot_signatures.json"
VECTORS: list[dict[str, Any]] = json.loads(PATH.read_text())["vectors"]
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


@each_vector
def test_the_product_signs_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert sign(vector["snapshot"], vector["secret"].encode()) == vector["signature"]


@each_vector
def test_a_signature_that_is_there_already_is_not_signed(vector: dict[str, Any]) -> None:
    signed = vector["snapshot"] | {"signature": vector["signature"]}

    assert sign(signed, vector["secret"].encode()) == vector["signature"]


@each_vector
def test_the_snapshot_may_be_written_in_any_way(vector: dict[str, Any]) -> None:
    """Escapes, white space and member order are the transport's; what the handler reads is what is signed."""
    sent = json.dumps(vector["snapshot"], ensure_ascii=True, indent=3, sort_keys=True)

    assert sign(from_json(sent), vector["secret"].encode()) == vector["signature"]


@each_vector
def test_the_vectors_are_true_by_themselves(vector: dict[str, Any]) -> None:
    canonical = vector["canonical"]

    assert json.loads(canonical) == vector["snapshot"]
    assert hmac.new(vector["secret"].encode(), canonical.encode(), hashlib.sha256).hexdigest() == vector["signature"]


@each_vector
def test_the_laptop_s_cart_signs_the_same(vector: dict[str, Any]) -> None:
    assert cart.signature(vector["snapshot"], vector["secret"]) == vector["signature"]


@pytest.mark.parametrize("change", [{"userId": "user-2"}, {"cartVersion": 6}, {"pricingSnapshot": {}}, {"more": None}], ids=str)
def test_no_change_keeps_the_signature(change: dict[str, Any]) -> None:
    vector = VECTORS[0]

    assert sign(vector["snapshot"] | change, vector["secret"].encode()) != vector["signature"]


@pytest.mark.parametrize("odd", [2**53, -(2**53), float("inf"), float("nan"), "\ud800", {"\udfff": 1}], ids=repr)
def test_what_has_no_canonical_form_is_refused(odd: object) -> None:
    with pytest.raises(InvalidSnapshot, match="canonical form"):
        sign({"pricingSnapshot": {"odd": odd}}, b"secret")
