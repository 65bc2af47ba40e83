"""Paystack, as far as hosted checkout, saved cards, refunds and webhooks go."""

from sandbox.paystack.emulator import REACH, PaystackEmulator
from sandbox.paystack.settings import Settings, read_settings

__all__ = ["REACH", "PaystackEmulator", "Settings", "read_settings"]
