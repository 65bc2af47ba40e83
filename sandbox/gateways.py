"""The gateways there are. A new one is a folder like `paystack/` and one line in each table here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import paystack
from sandbox.emulator import Emulator
from sandbox.faults import Reach
from sandbox.world import World


@dataclass(frozen=True, kw_only=True)
class Settings:
    paystack: paystack.Settings


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read every gateway's settings. Raises SettingsError."""
    return Settings(paystack=paystack.read_settings(environ))


def reaches(settings: Settings) -> dict[str, Reach]:
    return {"paystack": paystack.REACH}


def build_emulators(world: World, settings: Settings) -> dict[str, Emulator]:
    emulators: list[Emulator] = [paystack.PaystackEmulator(world, settings.paystack)]
    for emulator in emulators:
        world.on_due(emulator.name, emulator.run_due)
    return {emulator.name: emulator for emulator in emulators}
