"""S-02: every dangerous setting that the product knows of, once, by the id of its check."""

import re

import pytest

from tools.paths import ROOT

# An error E… that local only warns of is W… there.
KNOWN = {
    "E001": "a setting with a word that it does not have",
    "E002": "SECRET_KEY missing or short",
    "E003": "a default currency that is none",
    "W004": "no gateway key",
    "E005": "a gateway's key or webhook secret missing, short, of another kind or guessable",
    "E006": "a gateway's address that is not https, or on this machine: the emulator's",
    "E007": "throttles off",
    "E008": "a public URL that is not https",
    "E009": "every host name admitted, or none",
    "E010": "not said how many proxies stand in front",
    "E011": "a count below its least",
    "E012": "guests who pay in a mode that no key has",
    "E013": "the sandbox's certificates trusted",
    "E014": "a table of fees that cannot be read",
    "W015": "a former webhook secret still heard",
    "W016": "a default currency that no gateway takes",
    "E017": "TILLGATE_ENCRYPTION_KEYS missing or none",
    "E018": "mail that goes nowhere",
    "E019": "TILLGATE_RETRY_DAYS that are none",
    "E020": "one key for tokens and for everything else",
    "E030": "TILLGATE_JWT_KEY missing or short",
    "E031": "a secret that is an example's placeholder",
    "E032": "a database that may forget what it has confirmed",
    "E033": "a former webhook secret that is guessable",
    "W034": "production with test keys only",
    "W035": "mail that is sent in the clear",
    "E040": "networks opened to webhooks that are none",
    "E041": "every network opened to webhooks",
    "E042": "a webhook address that may not be called",
    "E043": "a webhook address without its secret, or the reverse",
    "E044": "a webhook secret that is short",
    "E045": "a token of the metrics that is short or guessable",
}
PAGE = ROOT / "docs" / "security.md"


def test_every_check_is_known_and_has_an_id_of_its_own():
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tillgate/**/checks.py")))

    assert sorted(re.findall(r'"tillgate\.([EW]\d{3})"', code)) == sorted(KNOWN)


def test_no_check_hides_elsewhere():
    others = [path for path in ROOT.glob("tillgate/**/*.py") if path.name != "checks.py"]

    assert not [
        path for path in others if re.search(r"tillgate\.[EW]\d{3}", path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("id", KNOWN)
def test_the_page_on_security_names_every_check(id):
    assert f"tillgate.{id}" in PAGE.read_text(encoding="utf-8")
