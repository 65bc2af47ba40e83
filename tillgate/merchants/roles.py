"""What a caller may do with a merchant's things: scopes of keys, and the roles of people."""

from enum import StrEnum


class Scope(StrEnum):
    """One kind of power. A key has those it was made with; a person those of the role."""

    CREATE = "create"  # Ask for money: payments, subscriptions, their attempts and cancellation.
    REFUND = "refund"  # Send money back, or decide about money that did not match.
    READ = "read"  # See everything of the merchant's.
    ADMIN = "admin"  # Keys, gateway accounts, the merchant's settings, webhook endpoints, the audit trail.
    TODAY = "today"  # See what was created today. No key has it.


KEY_SCOPES = (Scope.CREATE, Scope.REFUND, Scope.READ, Scope.ADMIN)


class Role(StrEnum):
    """What a person is to a merchant."""

    OWNER = "owner"
    MANAGER = "manager"  # Refunds up to the merchant's limit; beyond it a second person agrees.
    CASHIER = "cashier"  # Sees today, makes payment links.
    AUDITOR = "auditor"  # Reads.


ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.OWNER: frozenset(KEY_SCOPES),
    Role.MANAGER: frozenset({Scope.CREATE, Scope.REFUND, Scope.READ}),
    Role.CASHIER: frozenset({Scope.CREATE, Scope.TODAY}),
    Role.AUDITOR: frozenset({Scope.READ}),
}
