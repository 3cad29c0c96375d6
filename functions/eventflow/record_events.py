"""Every event of the bus, through its queue: kept in the event log."""

from tillflow.consumer import consumer
from tillflow.eventflow.service import record

handler = consumer(record)
