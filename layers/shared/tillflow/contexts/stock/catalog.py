"""Warehouses and variants: created once, changed while others may be doing so too, never deleted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tillflow.contexts.stock import closing, masters, rules, shifting, store
from tillflow.contexts.stock.browse import present_variant, present_warehouse, variant
from tillflow.contexts.stock.models import (
    MAX_SELLERS,
    CreateVariant,
    CreateWarehouse,
    VariantFields,
    WarehouseFields,
)
from tillflow.contexts.stock.rules import AlreadyExists, Variant, Warehouse, variant_id_of
from tillflow.messaging.envelope import Cause
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Once, Reply

type Patch[M] = Callable[[Mapping[str, Any]], M]
type CheckVersion = Callable[[int], None]


def create_warehouse(wanted: CreateWarehouse, cause: Cause, once: Once) -> Reply:
    """
    Create a warehouse and return it (201).

    Raises:
        AlreadyExists: the code is taken.
    """
    warehouse_id = rules.warehouse_id_of(wanted.code)
    warehouse = Warehouse(warehouse_id, wanted.code, wanted.name, wanted.active, tuple(dict.fromkeys(wanted.sellerIds)))
    taken = AlreadyExists(f"There is a warehouse with the code {wanted.code}.", id=warehouse_id)
    reply = Reply(201, present_warehouse(warehouse, cause))
    return _create(lambda commit: masters.add_warehouse(commit, warehouse, lambda: taken), reply, cause, once)


def create_variant(wanted: CreateVariant, cause: Cause, once: Once) -> Reply:
    """
    Create a variant and return it (201).

    Raises:
        AlreadyExists: the SKU is taken.
    """
    variant = Variant(variant_id_of(wanted.sku), wanted.sku, wanted.name, wanted.active, wanted.expiresAt)
    variant = replace(variant, shards=wanted.shards, shards_ever=wanted.shards)
    taken = AlreadyExists(f"There is a variant with the SKU {wanted.sku}.", id=variant.variant_id)
    reply = Reply(201, present_variant(variant))
    return _create(lambda commit: masters.add_variant(commit, variant, lambda: taken), reply, cause, once)


def _create(add: Callable[[Commit], None], reply: Reply, cause: Cause, once: Once) -> Reply:
    """Write what *add* adds to a commit, and answer *reply*."""

    def command() -> Reply:
        commit = Commit(cause)
        add(commit)
        once.remember(commit, cause, reply)
        commit.write()
        return reply

    return once.run(command)


def change_warehouse(warehouse_id: str, patch: Patch[WarehouseFields], check: CheckVersion, cause: Cause) -> Warehouse:
    """
    Change what *patch* changes, and return the warehouse; its levels are open or closed with it.

    Raises:
        WarehouseNotFound: there is none.
        Stale: *check* refuses its version.
    """

    def change(present: Warehouse) -> Warehouse:
        fields = patch({"name": present.name, "active": present.active})
        behind = present.levels_behind or fields.active != present.active
        return replace(present, name=fields.name, active=fields.active, levels_behind=behind)

    found = _change(lambda: store.find_warehouse(warehouse_id), change, masters.change_warehouse, check, cause)
    return closing.settle(found, cause)


def change_variant(variant_id: str, patch: Patch[VariantFields], check: CheckVersion, cause: Cause) -> Variant:
    """
    Change what *patch* changes, and return the variant; its units are spread over as many shards as it has then.

    Raises:
        VariantNotFound: there is none.
        Stale: *check* refuses its version.
    """

    def change(present: Variant) -> Variant:
        shown = present_variant(present)
        fields = patch({name: shown[name] for name in VariantFields.model_fields if shown[name] is not None})
        wanted = replace(present, name=fields.name, active=fields.active, expires_at=fields.expiresAt)
        behind = present.units_behind or fields.shards != present.shards
        ever = max(fields.shards, present.shards_ever)
        return replace(wanted, shards=fields.shards, shards_ever=ever, units_behind=behind)

    found = _change(lambda: variant(variant_id), change, masters.change_variant, check, cause)
    return shifting.settle(found, cause)


def name_seller(warehouse_id: str, user_id: str, check: CheckVersion, cause: Cause) -> Warehouse:
    """
    Let a seller move stock in the warehouse, which is returned; naming one twice is naming them once.

    Raises:
        WarehouseNotFound: there is none.
        TooManySellers: it names as many as it may.
        Stale: *check* refuses its version.
    """

    def change(present: Warehouse) -> Warehouse:
        named = tuple(dict.fromkeys((*present.seller_ids, user_id)))
        if len(named) > max(MAX_SELLERS, len(present.seller_ids)):
            raise rules.TooManySellers(f"A warehouse names at most {MAX_SELLERS} sellers.")
        return replace(present, seller_ids=named)

    return _change(lambda: store.find_warehouse(warehouse_id), change, masters.change_warehouse, check, cause)


def remove_seller(warehouse_id: str, user_id: str, check: CheckVersion, cause: Cause) -> Warehouse:
    """
    Let a seller move no more stock in the warehouse, which is returned; whoever is not named need not be removed.

    Raises:
        WarehouseNotFound: there is none.
        Stale: *check* refuses its version.
    """

    def change(present: Warehouse) -> Warehouse:
        return replace(present, seller_ids=tuple(each for each in present.seller_ids if each != user_id))

    return _change(lambda: store.find_warehouse(warehouse_id), change, masters.change_warehouse, check, cause)


def _change[T: Warehouse | Variant](
    find: Callable[[], T],
    change: Callable[[T], T],
    save: Callable[[Commit, T, T, Callable[[], Exception]], None],
    check: CheckVersion,
    cause: Cause,
) -> T:
    """Return what *change* makes of what *find* finds, saved; decided anew where somebody else was faster."""

    def attempt() -> T:
        present = find()
        # What makes no sense is refused as such, whatever it is a change of (RFC 9110, 13.2.1).
        wanted = change(present)
        check(present.version)
        if wanted == present:
            return present
        wanted = replace(wanted, version=present.version + 1)
        commit = Commit(cause)
        save(commit, present, wanted, Moved)
        commit.write()
        return wanted

    return again(attempt, "Too many change it at this moment. Try again.")
