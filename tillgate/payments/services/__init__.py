"""What the product does with payments; one file a use case.

start      create a payment
sessions   open a gateway's page for a customer
sync       ask a gateway what became of an attempt
settle     what verified money does to a payment: the only way to `completed`
moves      the only writer of a status
cancel, expire, review, refunds
"""
