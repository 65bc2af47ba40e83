"""render.yaml as Render reads it, and whether what Render makes up is good enough for us."""

import base64
import copy
import re

import pytest
import yaml
from cryptography.fernet import Fernet
from django.core.checks import run_checks

from launcher.environment import ROOT
from tests.deploy.blueprint import problems
from tillgate.common.crypto import is_key

TEXT = (ROOT / "render.yaml").read_text(encoding="utf-8")
BLUEPRINT = yaml.safe_load(TEXT)
WEB, WORKER = BLUEPRINT["services"]
(DATABASE,) = BLUEPRINT["databases"]
(GROUP,) = BLUEPRINT["envVarGroups"]


def by_key(entries):
    return {entry["key"]: entry for entry in entries if "key" in entry}


def test_render_finds_nothing_wrong_with_it():
    assert list(problems(BLUEPRINT)) == []


def spoil(path, value):
    spoiled = copy.deepcopy(BLUEPRINT)
    *above, last = path
    thing = spoiled
    for step in above:
        thing = thing[step]
    thing[last] = value
    return spoiled


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", 0, "startCommand"), "web"),
        (("services", 0, "autoDeployTrigger"), False),
        (("services", 0, "healthCheckPath"), "readyz"),
        (("services", 0, "image"), {"url": "x", "sha": "y"}),
        (("services", 0, "maxShutdownDelaySeconds"), 301),
        (("services", 0, "plan"), "free"),
        (("services", 0, "runtime"), "docker"),
        (("services", 1, "envVars", 0), {"fromGroup": "another"}),
        (("services", 1, "envVars", 1, "fromDatabase", "name"), "another"),
        (("services", 1, "envVars", 2, "fromService", "name"), "another"),
        (("services", 1, "envVars", 2, "fromService", "envVarKey"), "ANOTHER"),
        (("services", 1, "healthCheckPath"), "/readyz"),
        (("databases", 0, "postgresMajorVersion"), 17),
        (("databases", 0, "region"), "lagos"),
        (("envVarGroups", 0, "envVars", 0), {"key": "SECRET_KEY", "sync": False}),
        (("envVarGroups", 0, "envVars", 3), {"key": "TILLGATE_TRUSTED_PROXIES", "value": 3}),
        (("version",), "2"),
    ],
)
def test_what_render_refuses_is_found(path, value):
    assert list(problems(spoil(path, value)))


def test_web_and_worker_are_one_image_of_whom_one_migrates_and_is_asked():
    assert (WEB["type"], WORKER["type"]) == ("web", "worker")
    assert WEB["image"] == WORKER["image"] == {"url": "ghcr.io/OWNER/tillgate:latest"}
    assert (WEB["dockerCommand"], WORKER["dockerCommand"]) == ("web", "worker")
    assert WEB["preDeployCommand"] == "prepare"
    assert WEB["healthCheckPath"] == "/readyz"
    assert "preDeployCommand" not in WORKER


def test_whoever_is_stopped_has_the_time_that_it_takes():
    assert min(service["maxShutdownDelaySeconds"] for service in (WEB, WORKER)) >= 20


def test_only_the_pipeline_deploys():
    assert {service["autoDeployTrigger"] for service in (WEB, WORKER)} == {"off"}


def test_both_have_the_same_settings():
    web, worker = by_key(WEB["envVars"]), by_key(WORKER["envVars"])

    assert set(web) == set(worker)
    assert {"fromGroup": "tillgate"} in WEB["envVars"]
    assert {"fromGroup": "tillgate"} in WORKER["envVars"]
    # What is asked for is asked for once.
    assert web["EMAIL_URL"] == {"key": "EMAIL_URL", "sync": False}
    assert worker["EMAIL_URL"]["fromService"]["envVarKey"] == "EMAIL_URL"


def test_nobody_outside_of_render_reaches_the_database():
    assert DATABASE["ipAllowList"] == []


def test_there_is_no_secret_in_it():
    values = [entry["value"] for entry in by_key(GROUP["envVars"]).values() if "value" in entry]

    assert values == ["1", "3"]  # Of processes and proxies.
    assert not re.search(r"sk_(test|live)|FLWSECK|whsec_", TEXT)


# Standard base64, also with the two letters that the url-safe kind has others for.
GENERATED = {
    "SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
    "TILLGATE_JWT_KEY": base64.b64encode(bytes(range(32, 64))).decode(),
    "TILLGATE_ENCRYPTION_KEYS": base64.b64encode(b"\xfb\xef\xbe" * 10 + b"\xff\xfe").decode(),
}


def test_what_render_makes_up_are_keys_of_ours(settings):
    settings.SECRET_KEY = GENERATED["SECRET_KEY"]
    settings.TILLGATE_JWT_KEY = GENERATED["TILLGATE_JWT_KEY"]
    settings.TILLGATE_ENCRYPTION_KEYS = (GENERATED["TILLGATE_ENCRYPTION_KEYS"],)
    generated = {key for key, entry in by_key(GROUP["envVars"]).items() if entry.get("generateValue")}

    assert generated == set(GENERATED)
    assert not [found for found in run_checks(tags=["security"]) if found.id in SECRETS]


SECRETS = {"tillgate.E002", "tillgate.E017", "tillgate.E020", "tillgate.E030", "tillgate.E031"}


def test_a_secret_is_opened_with_the_key_that_render_has_made():
    key = GENERATED["TILLGATE_ENCRYPTION_KEYS"]

    assert "+" in key
    assert "/" in key
    assert is_key(key)
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"a token")) == b"a token"
