"""In the place of `docker compose`, found in PATH before it: notes what it was told, and runs a product here.

$STAND_IN/images holds a file for each image's digest, whose word says what is in it: `product`, `bare`
(answers /readyz and nothing else), or the step at which it fails: `pull`, `prepare`, `up`. The product
listens at the two ports in $STAND_IN/ports.
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from launcher.environment import ROOT, private_environment
from launcher.product import answers, is_free

HERE = Path(os.environ["STAND_IN"])
RUNNING = HERE / "running.json"
WITHIN_S = 60


def main(words: list[str]) -> int:
    """Do what compose was told; the image is that of the environment, as compose.yaml says."""
    assert words[0] == "compose", words
    assert sys.stdin.read() == "", "it was given the rest of somebody's script"
    image = os.environ["TILLGATE_IMAGE"]
    with (HERE / "docker.log").open("a") as log:
        log.write(f"{image[-4:]} {' '.join(words[1:])}\n")
    holds = (HERE / "images" / image.partition("sha256:")[2]).read_text()
    step = words[1].replace("run", "prepare")
    if step == holds:
        print(f"{step} of this image fails", file=sys.stderr)
        return 1 if step != "up" else stop()
    if step == "prepare" and holds == "product":
        command = [sys.executable, "-m", "launcher", "prepare"]
        return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode
    return up(image, holds) if step == "up" else 0


def up(image: str, holds: str) -> int:
    """Run an image in the place of another one; one that runs already is left alone."""
    if RUNNING.exists() and json.loads(RUNNING.read_text())["image"] == image:
        return 0
    stop()
    port, sandbox_port = json.loads((HERE / "ports").read_text())
    product = ["-m", "launcher", "--port", str(port), "--sandbox-port", str(sandbox_port)]
    command = [sys.executable, *(product if holds == "product" else [__file__, "serve", str(port)])]
    with (HERE / "product.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=log, stderr=log, start_new_session=True
        )
    RUNNING.write_text(json.dumps({"image": image, "pid": process.pid}))
    return wait(lambda: answers(port, "/readyz"))


def stop() -> int:
    """End what runs; 1, as of something that went wrong."""
    if RUNNING.exists():
        os.kill(json.loads(RUNNING.read_text())["pid"], signal.SIGTERM)
        RUNNING.unlink()
        wait(lambda: all(map(is_free, json.loads((HERE / "ports").read_text()))))
    return 1


def wait(is_so) -> int:
    """Return 0 once it is so, 1 when it does not come to be."""
    until = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > until:
            return 1
        time.sleep(0.05)
    return 0


def environment() -> dict[str, str]:
    """Return that of the product: of its own data, and of nothing in the shell."""
    return {**private_environment(), "TILLGATE_DATA_DIR": str(HERE / "var")}


class Bare(http.server.BaseHTTPRequestHandler):
    """Ready, and good for nothing."""

    def do_GET(self) -> None:
        """Answer /readyz."""
        self.send_response(200 if self.path == "/readyz" else 500)
        self.end_headers()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Bare).serve_forever()
    sys.exit(main(sys.argv[1:]))
