"""What AWS charges, in one table: list prices of us-east-1 on 2026-11-21, in dollars per million units."""

from decimal import Decimal

DATE = "2026-11-21"
REGION = "us-east-1"

# One million of each, in dollars. Free tiers and volume discounts are left out.
PER_MILLION = {
    "API Gateway requests (REST)": Decimal("3.50"),
    "DynamoDB write units": Decimal("0.625"),
    "DynamoDB read units": Decimal("0.125"),
    "EventBridge events": Decimal("1.00"),
    "Lambda invocations": Decimal("0.20"),
    "Lambda milliseconds": Decimal("0.0067"),  # 512 MB on arm64: 0.5 x $0.0000133334 a GB-second / 1,000
    "SQS requests": Decimal("0.40"),
    "CloudWatch log bytes": Decimal("0.0005"),  # $0.50 a GB
    "Express executions": Decimal("1.00"),
    "Express milliseconds": Decimal("0.00104"),  # 64 MB: 0.0625 x $0.00001667 a GB-second / 1,000
    "Standard transitions": Decimal("25.00"),
}

# What the emulator cannot tell: how long a function is billed for on AWS, and a saga lasts. Three or four DynamoDB calls
# of 4 to 6 ms and a few milliseconds of Python (make bench-warm); Express rounds up to 100 ms.
BILLED_MILLISECONDS_PER_INVOCATION = 20
EXPRESS_MILLISECONDS = 200
# Where a batch makes many calls in one invocation.
MILLISECONDS_PER_CALL, MILLISECONDS_OF_PYTHON = 5, 5
# The most records that a stream hands to one invocation (template.yaml).
STREAM_BATCH = 100
# What Lambda takes of a queue at once; and what the event log writes of an event in a batch of a hundred: itself, the index of
# traces, and its part of the others (tests/unit/eventflow/test_event_costs.py).
QUEUE_BATCH = 10
LOGGED_WRITE_UNITS = Decimal("2.06")


def dollars(unit: str, count: Decimal) -> Decimal:
    """Return what *count* of a *unit* cost a million times."""
    return PER_MILLION[unit] * count
