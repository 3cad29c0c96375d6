"""`make audit`: it asks until the audit is finished, tells what is wrong, and fails unless that was repaired."""

import io
import json
from typing import Any
from unittest.mock import Mock

import pytest

from local import LocalError
from local.shop import audit

type Json = dict[str, Any]

DIFFERENCE = {
    "variantId": "v",
    "sku": "LAMP",
    "warehouseId": "w",
    "shard": 2,
    "available": 10,
    "ledger": 7,
    "units": 3,
    "events": -1,
    "lostEvents": ["e-1"],
    "since": "e-0",
    "provenAt": "2026-11-21T03:00:00.000Z",
    "repaired": False,
}
CLEAN: Json = {"lookedAt": 2, "proven": 2, "found": 0, "repaired": 0, "unproven": [], "differences": [], "returns": []}


def stack(*answers: Json) -> Any:
    """Return a stack whose audit answers so, one after the other."""
    deployed = Mock(functions={audit.FUNCTION: {"FunctionName": "tillflow-audit"}})
    said = [_answer(json.dumps(answer), failed="errorType" in answer) for answer in answers]
    deployed.aws.patient.return_value.lambda_.invoke.side_effect = said
    return deployed


def _answer(text: str, *, failed: bool) -> Json:
    return {"Payload": io.BytesIO(text.encode())} | ({"FunctionError": "Unhandled"} if failed else {})


def asked(deployed: Any) -> list[Json]:
    return [json.loads(call.kwargs["Payload"]) for call in deployed.aws.patient.return_value.lambda_.invoke.call_args_list]


def test_it_goes_on_until_everything_was_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    deployed = stack(CLEAN | {"finished": False, "place": ["WH-1", "LAMP"]}, CLEAN | {"finished": True, "place": None})

    audit.run(deployed, anew=True, repair=False)

    wanted = {"everything": True, "anew": True, "repair": False}
    assert asked(deployed) == [wanted, wanted | {"place": ["WH-1", "LAMP"]}]
    assert "4 levels: 4 proven, 0 wrong, 0 repaired" in capsys.readouterr().out


def test_what_is_wrong_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"found": 2, "differences": [DIFFERENCE], "returns": [{"orderId": "o", "reason": "its units never came back"}]}

    with pytest.raises(LocalError, match="2 are wrong: REPAIR=1"):
        audit.run(stack(CLEAN | wrong | {"finished": True, "place": None}), anew=False, repair=False)

    told = capsys.readouterr().out
    assert "SKU LAMP (variant v) in warehouse w, shard 2: 10 available, the ledger has 7: +3, -1 events, lost: e-1" in told
    assert "since event e-0 (proven 2026-11-21T03:00:00.000Z)" in told
    assert "order o: its units never came back" in told


def test_what_was_repaired_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    repaired = DIFFERENCE | {"repaired": True, "repairedBy": "e-9", "provenAt": None}

    audit.run(
        stack(CLEAN | {"found": 1, "repaired": 1, "differences": [repaired], "finished": True, "place": None}),
        anew=False,
        repair=True,
    )

    assert "never proven - repaired by event e-9" in capsys.readouterr().out


def test_an_audit_that_failed_is_an_error() -> None:
    with pytest.raises(LocalError, match="the audit failed"):
        audit.run(stack({"errorType": "Unavailable"}), anew=False, repair=False)
