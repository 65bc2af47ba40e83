"""What the product does with events; one file a use case.

record     write down what happened, and wake who follows
outbox     write what is told of it, for the endpoints that subscribe
listeners  who subscribes, as this process knows it
endpoints  add, change, delete an endpoint
gaps       what was written while a process did not know of an endpoint yet
sending    claim what is due, and write down how it went
lanes      the sender: a lane for each endpoint
redeliver  send again
mails, health
"""

from tillgate.events.services.record import follow, record_event

__all__ = ["follow", "record_event"]
