"""PayPal, as far as orders, captures, refunds, saved payers, disputes and signed webhooks go."""

from sandbox.paypal.emulator import REACH, PayPalEmulator
from sandbox.paypal.settings import Settings, read_settings

__all__ = ["REACH", "PayPalEmulator", "Settings", "read_settings"]
