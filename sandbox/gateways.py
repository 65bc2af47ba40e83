"""The gateways there are. A new one is a folder like `paystack/` and its lines in each table here.

A gateway whose key is not set is not served: its settings are None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import flutterwave, paypal, paystack
from sandbox.emulator import Emulator
from sandbox.errors import SettingsError
from sandbox.faults import Reach
from sandbox.world import World

KEY_NAMES = (
    "SANDBOX_PAYSTACK_SECRET_KEY",
    "SANDBOX_FLUTTERWAVE_SECRET_KEY",
    "SANDBOX_PAYPAL_CLIENT_ID",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    paystack: paystack.Settings | None
    flutterwave: flutterwave.Settings | None
    paypal: paypal.Settings | None


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read every gateway's settings. Raises SettingsError, also where no gateway has a key."""
    settings = Settings(
        paystack=paystack.read_settings(environ),
        flutterwave=flutterwave.read_settings(environ),
        paypal=paypal.read_settings(environ),
    )
    if not reaches(settings):
        raise SettingsError(
            f"no gateway has a key; set at least one of {', '.join(KEY_NAMES)}, "
            "for example SANDBOX_PAYSTACK_SECRET_KEY=sk_test_sandbox"
        )
    return settings


def reaches(settings: Settings) -> dict[str, Reach]:
    """What faults can strike, by the name of each gateway that is served."""
    known = (
        ("paystack", settings.paystack, paystack.REACH),
        ("flutterwave", settings.flutterwave, flutterwave.REACH),
        ("paypal", settings.paypal, paypal.REACH),
    )
    return {name: reach for name, set_up, reach in known if set_up}


def build_emulators(world: World, settings: Settings) -> dict[str, Emulator]:
    emulators: list[Emulator] = []
    if settings.paystack:
        emulators.append(paystack.PaystackEmulator(world, settings.paystack))
    if settings.flutterwave:
        emulators.append(flutterwave.FlutterwaveEmulator(world, settings.flutterwave))
    if settings.paypal:
        emulators.append(paypal.PayPalEmulator(world, settings.paypal))
    for emulator in emulators:
        world.on_due(emulator.name, emulator.run_due)
    return {emulator.name: emulator for emulator in emulators}
