"""
Business metrics, written as log lines that CloudWatch turns into metrics (embedded metric format): no call, no wait.

| metric           | unit         | one for each                                   |
|------------------|--------------|------------------------------------------------|
| OrdersConfirmed  | count        | order that its saga confirmed                  |
| OrdersFailed     | count        | order that its saga failed                     |
| StockRefusals    | count        | order that got no stock                        |
| SagaDuration     | milliseconds | confirmed order, from its creation             |
| PublishLag       | milliseconds | published batch, since its oldest event        |
| AuditDifferences | count        | audit of stock: how much is wrong, 0 or more   |
"""

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Tillflow"
_metrics = Metrics(namespace=NAMESPACE)


def count(name: str, number: int = 1) -> None:
    """Count one, or so many."""
    _write(name, MetricUnit.Count, number)


def milliseconds(name: str, value: float) -> None:
    """Record how long something took."""
    _write(name, MetricUnit.Milliseconds, max(0, round(value)))


def _write(name: str, unit: MetricUnit, value: int) -> None:
    _metrics.add_metric(name=name, unit=unit, value=value)
    _metrics.flush_metrics()
