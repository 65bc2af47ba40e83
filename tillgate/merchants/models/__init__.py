"""Merchants and what is theirs; the people who have an account here."""

from tillgate.merchants.models.merchant import ApiKey, GatewayHealth, Logo, Merchant, StoredAccount
from tillgate.merchants.models.people import (
    Approval,
    AuditEntry,
    Login,
    Membership,
    RecoveryCode,
    User,
)

__all__ = [
    "ApiKey",
    "Approval",
    "AuditEntry",
    "GatewayHealth",
    "Login",
    "Logo",
    "Membership",
    "Merchant",
    "RecoveryCode",
    "StoredAccount",
    "User",
]
