"""Send events to Tillflow's EventFlow, and consume them."""

from tillflow_client.consumer import Consumer
from tillflow_client.consumer_async import AsyncConsumer
from tillflow_client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NoAnswer,
    NotFound,
    PayloadTooLarge,
    ServerFailed,
    SomeRejected,
    TillflowError,
    TooManyRequests,
    Unauthorized,
    Unsent,
)
from tillflow_client.events import Accepted, Event, NewEvent, Rejected, Result
from tillflow_client.pacing import Pace
from tillflow_client.producer import Batch, Producer
from tillflow_client.producer_async import AsyncBatch, AsyncProducer
from tillflow_client.retrying import Retry

__all__ = [
    "Accepted",
    "ApiError",
    "AsyncBatch",
    "AsyncConsumer",
    "AsyncProducer",
    "BadRequest",
    "Batch",
    "Conflict",
    "Consumer",
    "Event",
    "Forbidden",
    "NewEvent",
    "NoAnswer",
    "NotFound",
    "Pace",
    "PayloadTooLarge",
    "Producer",
    "Rejected",
    "Result",
    "Retry",
    "ServerFailed",
    "SomeRejected",
    "TillflowError",
    "TooManyRequests",
    "Unauthorized",
    "Unsent",
]
