"""The operations of the API, as the OpenAPI page tells of them, by area. `schema.documented` reads them."""

from tillgate.api.operations import customer, events, installation, merchant, payments, people, recurring
from tillgate.api.operations.operation import Operation

__all__ = ["OPERATIONS", "Operation"]

OPERATIONS: dict[str, Operation] = {
    **payments.OPERATIONS,
    **recurring.OPERATIONS,
    **merchant.OPERATIONS,
    **people.OPERATIONS,
    **customer.OPERATIONS,
    **events.OPERATIONS,
    **installation.OPERATIONS,
}
