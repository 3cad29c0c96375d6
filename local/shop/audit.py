"""`make audit`: the stack's own audit of stock, of every level, told in words."""

import json
from typing import Any

from botocore.config import Config
from rich.markup import escape

from local import LocalError
from local.platform.stack import Stack
from local.process import console

FUNCTION = "AuditStockFunction"
# Lambda ends it after fifteen minutes, and an audit that is asked twice is done twice.
_PATIENCE = Config(read_timeout=15 * 60 + 10, retries={"total_max_attempts": 1})

type Found = dict[str, Any]


def run(stack: Stack, *, anew: bool, repair: bool) -> None:
    """
    Audit every level of *stack*, and print what is wrong.

    Raises:
        LocalError: something is, and was not repaired.
    """
    found = {"lookedAt": 0, "proven": 0, "found": 0, "repaired": 0}
    unproven: list[Found] = []
    wanted: Found = {"everything": True, "anew": anew, "repair": repair}
    finished = False
    while not finished:
        answer = _ask(stack, wanted)
        found = {name: number + answer[name] for name, number in found.items()}
        unproven += answer["unproven"]
        for line in _lines(answer):
            console.print(escape(line))
        finished, wanted = answer["finished"], wanted | {"place": answer["place"]}
    for each in unproven:
        console.print(f"variant {each['variantId']} in warehouse {each['warehouseId']}: it moved all the while; ask again")
    console.print(f"{found['lookedAt']} levels: {found['proven']} proven, {found['found']} wrong, {found['repaired']} repaired")
    if left := found["found"] - found["repaired"]:
        raise LocalError(f"{left} are wrong{'' if repair else ': REPAIR=1 enters what levels have into the ledger'}")


def _ask(stack: Stack, wanted: Found) -> Found:
    client = stack.aws.patient(_PATIENCE).lambda_
    answer = client.invoke(FunctionName=stack.functions[FUNCTION]["FunctionName"], Payload=json.dumps(wanted))
    said: Found = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise LocalError(f"the audit failed: {said}")
    return said


def _lines(answer: Found) -> list[str]:
    levels = [_told(each) for each in answer["differences"]]
    return [*levels, *(f"order {each['orderId']}: {each['reason']}" for each in answer["returns"])]


def _told(difference: Found) -> str:
    of = "SKU {sku} (variant {variantId}) in warehouse {warehouseId}, shard {shard}: ".format_map(difference)
    units = "{available} available, the ledger has {ledger}: {units:+}".format_map(difference)
    events = f", {difference['events']:+} events" if difference["events"] else ""
    lost = f", lost: {' '.join(difference['lostEvents'])}" if difference["lostEvents"] else ""
    since = ", since event {since} (proven {provenAt})".format_map(difference) if difference["provenAt"] else ", never proven"
    by = f" by event {difference['repairedBy']}" if difference.get("repairedBy") else ""
    repaired = f" - repaired{by}" if difference["repaired"] else ""
    return f"{of}{units}{events}{lost}{since}{repaired}"
