"""From settings to an account: which values make one, in which mode, and what is wrong with others.

Every adapter says it as one table, its `SETUP`; nothing here knows where the values come from. Blanks
around a value never count.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from tillgate.gateways.certificates import trust_of
from tillgate.gateways.protocol import GatewayAccount, Mode, Problem


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The form that a setting's whole value must have, what is wrong with any other, and what to do
    about it. With a `mode`, only an account in that mode is held to it."""

    name: str
    form: str
    message: str
    hint: str
    mode: Mode | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How settings make an account. Everything is named as in the environment; forms are of whole values.

    `keys` are what no account can be without, each with its form; where none of them is set, nothing is
    wrong. `mode_by` names the setting that tells the mode, `modes` what its value looks like in each;
    where that is the gateway's address, `hosts` are the gateway's own. `trust`, where there is one, says
    whose certificates are believed in test mode, too; `choices` are what no account has of its own.
    """

    keys: Mapping[str, str]
    mode_by: str
    modes: Mapping[str, Mode]
    base_url: str
    credentials: Mapping[str, str]  # What the adapter calls each: the setting that it comes from.
    rules: tuple[Rule, ...]
    trust: str | None = None
    identity: str | None = None  # The secret that stays while an account's others change, where there is one.
    hosts: Mapping[Mode, str] = field(default_factory=dict)
    choices: frozenset[str] = frozenset()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What each account has of its own, in the order of this table."""
        return tuple(name for name in self.credentials.values() if name not in self.choices)

    def of_its_own(
        self, mode: Mode, secrets: Mapping[str, str], installation: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the settings of an account beside that of the environment: its own `secrets`, and the rest
        as the installation has it. Where the address tells the mode, it is one of this mode."""
        values = {**{name: installation[name] for name in self.names}, **dict.fromkeys(self.secrets, "")}
        is_elsewhere = self.mode_by == self.base_url and _mode_of(self, values) != mode
        if is_elsewhere:
            values[self.base_url] = self.hosts[mode]
        if self.trust and (is_elsewhere or mode == "live"):
            values[self.trust] = ""
        return {**values, **secrets}

    @property
    def names(self) -> tuple[str, ...]:
        """Every setting, in the order of this table."""
        return (*self.credentials.values(), *((self.trust,) if self.trust else ()), self.base_url)


class FromSettings:
    """What an adapter's class can say of its gateway's settings."""

    name: ClassVar[str]
    setup: ClassVar[Setup]
    identity: ClassVar[str | None]

    def __init_subclass__(cls) -> None:
        cls.identity = cls.setup.identity

    @classmethod
    def values_of(
        cls, mode: Mode, secrets: Mapping[str, str], installation: Mapping[str, str]
    ) -> dict[str, str]:
        """See `Setup.of_its_own`."""
        return cls.setup.of_its_own(mode, secrets, installation)

    @classmethod
    def account_from(cls, values: Mapping[str, str]) -> GatewayAccount | None:
        """Return the account that the settings make; None without a key, or with one that is none."""
        mode, setup = _mode_of(cls.setup, values), cls.setup
        if mode is None or not all(_fits(form, values[name]) for name, form in setup.keys.items()):
            return None
        return GatewayAccount(
            gateway=cls.name,
            mode=mode,
            base_url=values[setup.base_url].strip(),
            credentials={ours: values[name].strip() for ours, name in setup.credentials.items()},
            trust=trust_of(values[setup.trust]) if setup.trust and mode == "test" else None,
        )

    @classmethod
    def problems_of(cls, values: Mapping[str, str]) -> Iterator[Problem]:
        """Yield what is wrong with the settings, each with its fix; nothing when no key is set."""
        if not any(values[name].strip() for name in cls.setup.keys):
            return
        for rule in cls.setup.rules:
            is_asked = rule.mode in (None, _mode_of(cls.setup, values))
            if is_asked and not _fits(rule.form, values[rule.name]):
                yield Problem(setting=rule.name, message=rule.message, hint=rule.hint)


def _mode_of(setup: Setup, values: Mapping[str, str]) -> Mode | None:
    value = values[setup.mode_by]
    return next((mode for form, mode in setup.modes.items() if _fits(form, value)), None)


def _fits(form: str, value: str) -> bool:
    return re.fullmatch(form, value.strip()) is not None
