"""Every event of the bus, through its queue: kept in the event log."""

from tillflow.contexts.eventflow.service import record
from tillflow.messaging.consumer import consumer

handler = consumer(record)
