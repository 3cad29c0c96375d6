"""What consumers have failed on ten times, through the queue that SQS moves it to: kept in each consumer's list."""

from tillflow.contexts.eventflow.deadletters import keep
from tillflow.messaging.consumer import message_consumer

handler = message_consumer(keep)
