"""What the pipeline's environment says: secrets (each also as NAME_FILE) and where things are."""

from collections.abc import Mapping
from pathlib import Path

from deploy.failed import Failed
from deploy.http import Client
from deploy.ready import Say
from deploy.render import API, Render
from deploy.rollout import Target
from deploy.ssh import Ssh

Surroundings = Mapping[str, str]
RENDER_POLL_S = 5.0


def needed(env: Surroundings, name: str, what: str) -> str:
    """Return a setting. Raises Failed, saying what it is, where it is not set."""
    if file := env.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Failed(f"{name}_FILE cannot be read: {error}") from error
    if value := env.get(name):
        return value
    raise Failed(f"{name} is not set: {what}.")


def target_named(name: str, env: Surroundings, say: Say) -> Target:
    """Return the target of that name, as the environment describes it. Raises Failed for what is missing."""
    return _render(env, say) if name == "render" else _ssh(env, say)


def _render(env: Surroundings, say: Say) -> Render:
    key = needed(env, "RENDER_API_KEY", "an API key, from Render's dashboard under Account Settings")
    services = (env.get("RENDER_WEB") or "tillgate-web", env.get("RENDER_WORKER") or "tillgate-worker")
    api = Client(base=env.get("RENDER_API_URL") or API, key=key)
    return Render(api=api, services=services, say=say, poll_every_s=RENDER_POLL_S)


def _ssh(env: Surroundings, say: Say) -> Ssh:
    port = env.get("DEPLOY_SSH_PORT") or "22"
    if not (port.isascii() and port.isdigit()):
        raise Failed(f"DEPLOY_SSH_PORT must be a number, not {port!r}.")
    return Ssh(
        host=needed(env, "DEPLOY_SSH_HOST", "the server, as user@host"),
        port=int(port),
        folder=env.get("DEPLOY_FOLDER") or "/opt/tillgate",
        key=needed(env, "DEPLOY_SSH_KEY", "the private key that opens the server"),
        known_hosts=needed(
            env, "DEPLOY_KNOWN_HOSTS", "what `ssh-keyscan HOST` prints, compared with the server"
        ),
        say=say,
    )
