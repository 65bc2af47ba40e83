"""Flutterwave (v3), as far as hosted checkout, card tokens, refunds and webhooks go."""

from sandbox.flutterwave.emulator import REACH, FlutterwaveEmulator
from sandbox.flutterwave.settings import Settings, read_settings

__all__ = ["REACH", "FlutterwaveEmulator", "Settings", "read_settings"]
