"""What is told on AWS, to whom, and at whose cost; the laptop has none of it."""

import json
import re
from decimal import Decimal
from typing import Any

from tests import template
from tests.template import Data
from tillflow.runtime import metrics

README = (template.ROOT / "README.md").read_text()

TELEMETRY = template.written("stacks/telemetry.yaml")["Resources"]
ON_AWS = {"ApiLogs": "IsAws", "AlarmsKey": "IsAws", "ApiLogsWriter": "SetsApiLogsRole", "ApiAccount": "SetsApiLogsRole"}
FUNCTION: Data = template.template()["Globals"]["Function"]
API: Data = template.resources("AWS::Serverless::Api")["Api"]


def chosen(value: Data, *, on_aws: bool) -> Any:
    """Return what an `!If [IsAws, …, …]` is."""
    condition, there, here = value["Fn::If"]
    assert condition == "IsAws"
    return there if on_aws else here


def test_what_only_aws_has_is_left_out_elsewhere() -> None:
    assert {name: each["Condition"] for name, each in TELEMETRY.items() if "Condition" in each} == ON_AWS


def test_a_request_is_one_line_of_json_with_the_integration_s_latency() -> None:
    settings = chosen(API["AccessLogSetting"], on_aws=True)
    # Where there is nothing to say, API Gateway writes a bare hyphen.
    line = json.loads(re.sub(r"\$context\.[A-Za-z.]+", "-", settings["Format"]))

    assert "\n" not in settings["Format"]
    assert {"requestId", "route", "status", "latency", "integrationLatency", "error"} <= line.keys()
    assert set(line.values()) == {"-"}, "unquoted, a hyphen would be no JSON"
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}
    assert chosen(API["AccessLogSetting"], on_aws=False) == {"Ref": "AWS::NoValue"}


def test_no_request_s_line_holds_what_a_client_may_have_written() -> None:
    """A quote in a path, an agent or a user's name would end the JSON, and the rest be what the client likes."""
    told = re.findall(r"\$context\.([A-Za-z.]+)", chosen(API["AccessLogSetting"], on_aws=True)["Format"])

    assert set(told) == {
        "requestId", "requestTime", "httpMethod", "resourcePath", "status", "responseLatency", "integrationLatency",
        "integrationStatus", "authorizer.integrationLatency", "error.responseType", "responseLength", "identity.sourceIp",
        "xrayTraceId",
    }  # fmt: skip


def test_the_role_that_writes_every_api_s_logs_outlives_the_stack() -> None:
    """It is the account's: other APIs write with it, too."""
    for name in ("ApiLogsWriter", "ApiAccount"):
        assert (TELEMETRY[name]["DeletionPolicy"], TELEMETRY[name]["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_alarms_may_use_the_key_of_their_topic() -> None:
    """AWS's own key (alias/aws/sns) does not let CloudWatch, and no alarm would be told."""
    topic, key = TELEMETRY["Alarms"]["Properties"], TELEMETRY["AlarmsKey"]["Properties"]
    services = {each["Principal"].get("Service"): each["Action"] for each in key["KeyPolicy"]["Statement"]}

    assert chosen(topic["KmsMasterKeyId"], on_aws=True) == {"Ref": "AlarmsKey"}
    assert set(services["cloudwatch.amazonaws.com"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}


def test_lambda_s_own_lines_are_left_out_on_aws_unless_something_went_wrong() -> None:
    logging = FUNCTION["LoggingConfig"]

    assert chosen(logging["LogFormat"], on_aws=True) == "JSON"
    assert chosen(logging["SystemLogLevel"], on_aws=True) == "WARN"
    # It would drop metrics, which have no level, or lines of ours.
    assert "ApplicationLogLevel" not in logging


def test_nothing_is_traced_until_it_is_asked_for() -> None:
    traced = {"Fn::If": ["IsTraced", True, False]}

    assert template.default_of("Tracing") == "Disabled"
    assert FUNCTION["Tracing"] == {"Ref": "Tracing"}
    assert API["TracingEnabled"] == traced
    assert template.resources("AWS::Serverless::StateMachine")["OrderSaga"]["Tracing"] == {"Enabled": traced}


FUNCTIONS = template.resources(template.FUNCTION).values()


def test_the_readme_s_costs_a_month_are_for_what_the_stack_has() -> None:
    fixed = README.partition("tests/contract/test_telemetry.py counts these")[2].partition("\n\n")[0]
    counted = {what: int(number) for number, what in re.findall(r"^\| (\d+) (\w+) ", fixed, re.MULTILINE)}
    rows = re.findall(r"^\| (.+?) \| \$([\d.]+) \| \$([\d.]+) \|$", fixed, re.MULTILINE)
    ((default, prod),) = re.findall(r"\*\*\$([\d.]+)\*\* \| \*\*\$([\d.]+)\*\*", fixed)
    always = [row for row in rows if " a GB" not in row[0]]

    assert counted == {
        "secrets": len(template.resources(template.SECRET)),
        "alarms": len(template.resources("AWS::CloudWatch::Alarm")),
        "metrics": len(re.findall(r"^\| [A-Z]\w+ ", metrics.__doc__ or "", re.MULTILINE)),
        "queues": sum(trigger["Type"] == "SQS" for each in FUNCTIONS for trigger in each.get("Events", {}).values()),
    }
    assert sum(Decimal(each) for _, each, _ in always) == Decimal(default)
    assert sum(Decimal(each) for _, _, each in always) == Decimal(prod)
