from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "tillgate.ledger"
    label = "ledger"
