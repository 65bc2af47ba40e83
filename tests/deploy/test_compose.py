"""compose.yaml as compose reads it: what is closed, what is open, and how its secrets are made."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from launcher.environment import ROOT, Installation
from launcher.web import granian
from tillgate.common.crypto import is_key

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
PARTS = ("web", "worker", "prepare")
PINNED = re.compile(r"[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}")


def seconds(text):
    assert text.endswith("s")
    return int(text[:-1])


def megabytes(text):
    assert text.endswith("m")
    return int(text[:-1])


def default(text):
    """What compose puts in `${NAME:-default}`'s place where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_it_is_what_the_specification_of_compose_allows():
    tool = Path(sys.executable).with_name("check-jsonschema")
    line = [str(tool), "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_closed_as_far_as_it_can_be(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "devices", "network_mode", "pid", "ipc", "userns_mode"} & set(service)
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["pids_limit"] <= 256
    assert service["logging"]["options"]["max-size"]
    mounts = [mount.split(":")[0] for mount in service.get("volumes", [])]
    assert [mount for mount in mounts if mount.startswith((".", "/"))] == (
        ["./deploy/Caddyfile"] if name == "proxy" else []
    )


def test_only_the_proxy_is_reached_from_outside_and_the_trial_from_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "proxy": ["0.0.0.0:80:80", "0.0.0.0:443:443"],
        "sandbox": ["127.0.0.1:8000:8000", "127.0.0.1:8001:8001"],
    }


def test_the_database_is_on_a_network_without_a_way_in_or_out():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["db"]["networks"] == ["inside"]
    assert SERVICES["proxy"]["networks"] == ["outside"]


def test_foreign_images_are_pinned_and_ours_is_one_for_all():
    foreign = {name: SERVICES[name]["image"] for name in ("proxy", "db")}
    ours = {service["image"] for name, service in SERVICES.items() if name not in foreign}

    assert all(PINNED.fullmatch(image) for image in foreign.values()), foreign
    assert ours == {"${TILLGATE_IMAGE:-tillgate:local}"}
    assert {SERVICES[name]["build"] for name in (*PARTS, "sandbox")} == {"."}


def test_web_and_worker_start_when_the_migrations_are_through():
    assert SERVICES["prepare"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert SERVICES["prepare"]["restart"] == "no"
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
        assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", PARTS)
def test_our_parts_are_one_production_behind_one_proxy(name):
    settings = SERVICES[name]["environment"]

    assert SERVICES[name]["command"] == [name]
    assert settings["TILLGATE_ENV"] == "production"
    assert settings["TILLGATE_TRUSTED_PROXIES"] == "1"
    assert settings["TILLGATE_DATA_DIR"] == "/data"
    assert "data:/data" in SERVICES[name]["volumes"]
    assert default(settings["TILLGATE_PUBLIC_URL"]) == "https://localhost"
    assert default(settings["ALLOWED_HOSTS"]) == default(SERVICES["proxy"]["environment"]["TILLGATE_DOMAIN"])


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_as_files_and_each_container_gets_its_own(name):
    settings = SERVICES[name].get("environment", {})
    named = [value.removeprefix("/run/secrets/") for key, value in settings.items() if key.endswith("_FILE")]

    assert sorted(named) == sorted(SERVICES[name].get("secrets", []))
    assert set(named) <= set(COMPOSE["secrets"])
    secret = re.compile(r"(SECRET_KEY|_KEY|_KEYS|PASSWORD|DATABASE_URL)$")
    assert not [key for key in settings if secret.search(key)]


def test_whoever_is_stopped_has_the_time_that_it_takes():
    leave_s = int(SERVICES["web"]["environment"]["TILLGATE_LEAVE_S"])
    words = granian(Installation(data_dir=Path("data")), {})
    kill_after_s = int(words[words.index("--workers-kill-timeout") + 1])

    assert seconds(SERVICES["web"]["stop_grace_period"]) > leave_s + kill_after_s
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > 8


def test_all_that_runs_fits_into_two_gigabytes():
    running = ("proxy", "web", "worker", "db")

    assert sum(megabytes(SERVICES[name]["mem_limit"]) for name in running) <= 1_600


def test_the_trial_is_of_emulators_only_and_shares_nothing_with_the_production():
    trial = SERVICES["sandbox"]

    assert trial["profiles"] == ["sandbox"]
    assert trial["environment"] == {"TILLGATE_ENV": "local"}
    assert trial["volumes"] == ["sandbox:/data"]
    assert not {"secrets", "env_file", "command", "depends_on"} & set(trial)


def test_settings_of_the_example_are_known_and_enough_for_a_name_and_mail():
    lines = (ROOT / "deploy/compose.env.example").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    known = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert names - known == {"TILLGATE_DOMAIN", "TILLGATE_IMAGE"}
    assert "EMAIL_URL" in names


def make_secrets(folder):
    script = ROOT / "deploy/make-secrets.sh"
    done = subprocess.run([script, folder], capture_output=True, text=True, check=True)
    return done.stdout


def test_secrets_are_made_once_and_nobody_else_on_the_machine_reads_them(tmp_path):
    folder = tmp_path / "secrets"
    make_secrets(folder)
    first = {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}
    said = make_secrets(folder)

    assert set(first) == set(COMPOSE["secrets"])
    assert {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()} == first
    assert said.count("kept") == len(first)
    assert not [value for value in first.values() if value in said]
    assert folder.stat().st_mode & 0o777 == 0o700
    # Whoever is let into the folder, as a container's user is, may read; nobody may write.
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_secrets_are_of_the_kind_that_the_settings_want(tmp_path):
    make_secrets(tmp_path / "one")
    made = {path.name: path.read_text(encoding="ascii") for path in (tmp_path / "one").iterdir()}

    assert len(set(made.values())) == len(made)
    assert min(len(made[name]) for name in ("secret_key", "jwt_key", "database_password")) == 64
    assert is_key(made["encryption_keys"])
    assert len(base64.urlsafe_b64decode(made["encryption_keys"])) == 32
    assert made["database_url"] == f"postgres://tillgate:{made['database_password']}@db:5432/tillgate"
