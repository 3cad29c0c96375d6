"""Every event of the bus, through its queue: kept, indexed, and sent to the consumers that want it."""

from tillflow.contexts.eventflow.routing import route
from tillflow.messaging.consumer import batch_consumer

handler = batch_consumer(route)
