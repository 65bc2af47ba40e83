"""What the sandbox itself may refuse; the gateways' own refusals live in their folders."""

from __future__ import annotations


class SettingsError(Exception):
    """The sandbox cannot start as configured; the message says what to change."""


class Refused(Exception):
    """A control call cannot be carried out; the message says what to do instead."""

    status = 400


class NotThere(Refused):
    """A control call names something the sandbox does not know."""

    status = 404


class Hangup(Exception):
    """The connection ends here, with a TCP reset when `reset`, otherwise quietly."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("connection ended")
        self.reset = reset
