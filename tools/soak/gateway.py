"""The sandbox as the soak sees it: it saves cards, tells its journal, and has a clock."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

ANSWERS_WITHIN_S = 60


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the journal says of each subscription's one cycle."""

    charged: int
    twice: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether every subscription was charged, by exactly one charge."""
        return not (self.twice or self.missing or self.strange)


class Gateway:
    """The emulated Paystack over HTTP."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=ANSWERS_WITHIN_S,
            trust_env=False,
        )

    def save_card(self, number: int) -> tuple[str, str]:
        """Let a customer pay once; return their e-mail and the token that the gateway has kept."""
        email, reference = f"customer{number}@example.com", f"first-{number}"
        order = {"email": email, "amount": 5_000, "currency": "NGN", "reference": reference}
        self._asked("POST", "/paystack/transaction/initialize", order)
        self._asked(
            "POST", "/control/pay", {"gateway": "paystack", "reference": reference, "outcome": "success"}
        )
        verified = self._asked("GET", f"/paystack/transaction/verify/{reference}")
        return email, verified["data"]["authorization"]["authorization_code"]

    def advance(self, seconds: int) -> None:
        """Move the sandbox's clock."""
        self._asked("POST", "/control/clock", {"advance_s": seconds})

    def truth(self, subscriptions: Iterable[str]) -> Truth:
        """Hold the journal against the subscriptions, each of which had one cycle to be charged."""
        return judge(subscriptions, self._asked("GET", "/control/journal")["entries"])

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _asked(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()


def judge(subscriptions: Iterable[str], entries: Iterable[dict[str, Any]]) -> Truth:
    """Count the charges of each subscription in the journal; anything else of ours in it is strange."""
    wanted = {f"{reference}-1-" for reference in subscriptions}
    charges: Counter[str] = Counter()
    strange = []
    for entry in entries:
        cycle = f"{entry['reference'].rpartition('-')[0]}-"
        if entry["initiated_by"] != "merchant":
            continue
        right = (entry["kind"], entry["amount_minor"], entry["currency"]) == ("charge", 5_000, "NGN")
        if not (right and entry["ok"] and cycle in wanted):
            strange.append(entry["reference"])
        else:
            charges[cycle] += 1
    return Truth(
        charged=len(charges),
        twice=[cycle for cycle, count in charges.items() if count > 1],
        missing=sorted(wanted - charges.keys()),
        strange=strange,
    )
