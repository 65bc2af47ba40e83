"""`python -m deploy rollout render`, over Render's API as it is documented."""

import pytest

from deploy import render, surroundings
from deploy.__main__ import main
from deploy.failed import Failed
from deploy.http import Client
from deploy.render import Render
from tests.deploy.fake_render import KEY, REPOSITORY, WELL, fake_render
from tests.deploy.scripted import DOCTOR, examined

OLD, NEW = (f"{REPOSITORY}@sha256:{digit * 64}" for digit in "12")
SERVICES = ("tillgate-web", "tillgate-worker")


@pytest.fixture
def api():
    with fake_render() as server:
        yield server


@pytest.fixture
def lines():
    return []


@pytest.fixture
def target(api, lines):
    client = Client(base=api.url, key=KEY, pause_s=0.01)
    return Render(api=client, services=SERVICES, say=lines.append, poll_every_s=0.01, live_within_s=5)


def run_everywhere(api, image):
    for service in ("srv-1", "srv-2"):
        api.start(service, image)["status"] = "live"


def test_web_goes_live_before_the_worker_begins(api, target, lines):
    target.deploy(NEW)

    assert api.posted == [("tillgate-web", NEW), ("tillgate-worker", NEW)]
    assert (api.live("tillgate-web"), api.live("tillgate-worker")) == (NEW, NEW)
    told = [line.removeprefix("render    ") for line in lines]
    assert told[0] == "tillgate-web: dep-1 begins"
    assert told[1:4] == ["tillgate-web: pre_deploy_in_progress", *told[2:4]]
    assert told.index("tillgate-web: live") < told.index("tillgate-worker: dep-2 begins")


def test_what_runs_now_is_known_by_its_digest(api, target):
    assert target.current() is None

    run_everywhere(api, OLD)
    api.start("srv-1", NEW)["status"] = "build_failed"

    assert target.current() == OLD


@pytest.mark.parametrize("tagged", [f"{REPOSITORY}:main", REPOSITORY, f"{REPOSITORY}:v1@sha256:{'1' * 64}"])
def test_an_image_that_came_by_a_tag_is_remembered_by_its_digest(api, target, tagged):
    deploy = api.start("srv-1", tagged)
    deploy["status"], deploy["image"]["sha"] = "live", f"sha256:{'1' * 64}"

    assert target.current() == OLD


def test_a_live_deployment_without_an_image_is_no_way_back(api, target):
    api.start("srv-1", OLD).update(status="live", image=None)

    assert target.current() is None


@pytest.mark.parametrize("answer", ["queued", "lost but begun"])
def test_a_deployment_that_was_given_no_name_is_found_and_not_begun_twice(api, target, answer):
    run_everywhere(api, OLD)
    api.answers = [answer]

    target.deploy(NEW)

    assert api.posted == [("tillgate-web", NEW), ("tillgate-worker", NEW)]
    assert api.live("tillgate-web") == NEW


def test_one_that_never_shows_is_given_up(api, target, monkeypatch):
    monkeypatch.setattr(render, "SHOWN_WITHIN_S", 0.2)
    api.answers = ["lost"]

    with pytest.raises(Failed, match="shows no new deployment of tillgate-web"):
        target.deploy(NEW)
    assert len(api.posted) == 1


def test_too_many_requests_are_waited_for(api, target):
    api.answers = ["busy", "busy"]

    target.deploy(NEW)

    assert api.live("tillgate-web") == NEW


@pytest.mark.parametrize(
    "end", ["build_failed", "pre_deploy_failed", "update_failed", "canceled", "deactivated", "new"]
)
def test_every_end_but_live_is_a_failure_and_the_worker_is_left(api, target, end):
    api.ends[NEW] = ("created", end)

    with pytest.raises(Failed, match=f"Render ended dep-1 of tillgate-web as {end}"):
        target.deploy(NEW)
    assert api.posted == [("tillgate-web", NEW)]


def test_a_deployment_that_hangs_ends_the_waiting(api, lines):
    client = Client(base=api.url, key=KEY)
    hasty = Render(api=client, services=SERVICES, say=lines.append, poll_every_s=0.01, live_within_s=0.1)
    api.ends[NEW] = ("created",)

    with pytest.raises(Failed, match="dep-1 of tillgate-web is still created after"):
        hasty.deploy(NEW)


def test_a_service_that_is_not_there_is_named(api, target):
    del api.services["srv-2"]

    with pytest.raises(Failed, match="no services called tillgate-worker"):
        target.deploy(NEW)


def test_another_repository_is_refused_by_render(target):
    with pytest.raises(Failed, match=r"answered 400: .*must match"):
        target.deploy(f"ghcr.io/eve/tillgate@sha256:{'1' * 64}")


@pytest.fixture
def pipeline(api, server, monkeypatch):
    """The surroundings of the workflow's step: an installation at `server`, deployed by Render at `api`."""
    payment = {"id": "PAY-1", "test": True, "amount": 50.0, "currency": "NGN", "status": "pending"}
    attempt = {
        "gateway_reference": "A",
        "next_action": {"type": "redirect", "url": "https://pay.example.com"},
    }
    pending, canceled = (200, {"payment": payment}), (200, {"payment": {**payment, "status": "canceled"}})
    server.answers = {
        "GET /readyz": [(200, "")],
        DOCTOR: [examined("One was at work 0 s ago.")],
        "GET /api/v1/gateways": [(200, {"gateways": [{"name": "paystack", "currencies": ["NGN"]}]})],
        "POST /api/v1/payments": [(201, {"payment": payment})],
        "GET /api/v1/payments/PAY-1": [pending, canceled, pending, canceled],
        "POST /api/v1/payments/PAY-1/attempts": [(201, {"attempt": attempt})],
        "POST /api/v1/payments/PAY-1/cancel": [canceled],
    }
    monkeypatch.setattr(surroundings, "RENDER_POLL_S", 0.01)
    for name, value in {
        "RENDER_API_URL": api.url,
        "RENDER_API_KEY": KEY,
        "TILLGATE_SMOKE_KEY": "sk_test_1",
        "TILLGATE_URL": server.url,
    }.items():
        monkeypatch.setenv(name, value)
    return server


def test_a_first_rollout_ends_well(api, pipeline, capsys):
    assert main(["rollout", "render", "--image", NEW]) == 0
    assert "live      the new image is deployed, ready, and took a payment" in capsys.readouterr().out
    assert api.live("tillgate-worker") == NEW


def test_a_release_that_takes_no_payment_is_rolled_back_in_both_services(api, pipeline, capsys):
    run_everywhere(api, OLD)
    pipeline.answers["POST /api/v1/payments"].insert(0, (500, "oops"))

    assert main(["rollout", "render", "--image", NEW]) == 1

    out = capsys.readouterr().out
    assert "answered 500: oops" in out
    assert "back      the former image is deployed, ready, and took a payment" in out
    assert (api.live("tillgate-web"), api.live("tillgate-worker")) == (OLD, OLD)


def test_a_worker_that_does_not_come_up_takes_the_web_back_too(api, pipeline, capsys):
    run_everywhere(api, OLD)
    api.ends[NEW] = WELL
    api.services["srv-2"] = "tillgate-nobody"

    assert main(["rollout", "render", "--image", NEW]) == 1
    assert api.live("tillgate-web") == OLD
    assert "no services called tillgate-worker" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["RENDER_API_KEY", "TILLGATE_SMOKE_KEY", "TILLGATE_URL"])
def test_what_is_not_set_is_named_before_anything_happens(api, pipeline, monkeypatch, capsys, name):
    monkeypatch.delenv(name)

    assert main(["rollout", "render", "--image", NEW]) == 1
    assert f"{name} is not set" in capsys.readouterr().err
    assert api.posted == []


def test_a_wrong_key_of_render_changes_nothing(api, pipeline, monkeypatch, capsys):
    monkeypatch.setenv("RENDER_API_KEY", "rnd_wrong")

    assert main(["rollout", "render", "--image", NEW]) == 1
    assert "answered 401" in capsys.readouterr().err
    assert api.posted == []


def test_a_secret_whose_file_is_not_there_is_named(api, pipeline, monkeypatch, capsys):
    monkeypatch.setenv("RENDER_API_KEY_FILE", "/nowhere/key")

    assert main(["rollout", "render", "--image", NEW]) == 1
    assert "RENDER_API_KEY_FILE cannot be read" in capsys.readouterr().err


def test_a_secret_may_be_a_file(api, pipeline, monkeypatch, tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("RENDER_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.delenv("RENDER_API_KEY")

    assert main(["rollout", "render", "--image", NEW]) == 0
    assert api.live("tillgate-web") == NEW


def test_a_key_that_opens_too_little_changes_nothing(api, pipeline, capsys):
    pipeline.answers[DOCTOR] = [(403, "It lacks the scope admin.")]

    assert main(["rollout", "render", "--image", NEW]) == 1
    assert "TILLGATE_SMOKE_KEY opens too little" in capsys.readouterr().err
    assert api.posted == []
