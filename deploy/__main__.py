"""`python -m deploy WORD`: the steps of the pipeline, each of which can be run by hand."""

import argparse
import os
import sys

from deploy.failed import Failed
from deploy.notes import notes
from deploy.ready import WITHIN_S, say, wait_until_ready
from deploy.rollout import check_image, roll_out
from deploy.smoke import KEY, Smoke
from deploy.surroundings import needed, target_named
from deploy.upgrade import rehearse
from deploy.worker import refuse_bad_key

WHAT_KEY = "a test key of the installation; on the server: ./run create-key --mode test"


def main(words: list[str]) -> int:
    """Do what is asked for; 1, and the reason, where it did not go well."""
    options = _parser().parse_args(words)
    try:
        return int(not options.do(options))
    except Failed as error:
        print(f"FAILED    {error}", file=sys.stderr)
        return 1


def _wait(options: argparse.Namespace) -> bool:
    say(f"ready     {options.url} after {wait_until_ready(options.url, options.within):.1f} s")
    return True


def _smoke(options: argparse.Namespace) -> bool:
    Smoke(options.url, needed(os.environ, KEY, WHAT_KEY), say, sandbox=options.sandbox).run()
    return True


def _rollout(options: argparse.Namespace) -> bool:
    url = needed(os.environ, "TILLGATE_URL", "where the product is reached, such as https://pay.example.com")
    check_image(options.image)
    target = target_named(options.target, os.environ, say)
    smoke = Smoke(url, needed(os.environ, KEY, WHAT_KEY), say)

    def check() -> None:
        say(f"ready     {url} after {wait_until_ready(url, options.within):.1f} s")
        smoke.run()

    refuse_bad_key(smoke.shop)
    return roll_out(target, options.image, check, say)


def _upgrade(options: argparse.Namespace) -> bool:
    rehearse(options.ref, options.database, say)
    return True


def _notes(options: argparse.Namespace) -> bool:
    say(notes(options.version, tag=options.tag))
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="WORD")

    word = words.add_parser("wait", help="until /readyz answers 200")
    word.add_argument("url")
    word.add_argument("--within", type=float, default=WITHIN_S, help="seconds (%(default).0f)")
    word.set_defaults(do=_wait)

    word = words.add_parser("smoke", help=f"one payment in test mode at each gateway, by the key in {KEY}")
    word.add_argument("url")
    word.add_argument("--sandbox", default="", help="the sandbox's address, where payments are then paid")
    word.set_defaults(do=_smoke)

    word = words.add_parser("rollout", help="deploy an image, look, and go back where it is not well")
    word.add_argument("target", choices=["render", "ssh"])
    word.add_argument("--image", required=True, help="REF@sha256:…")
    word.add_argument("--within", type=float, default=WITHIN_S, help="seconds until ready (%(default).0f)")
    word.set_defaults(do=_rollout)

    word = words.add_parser("upgrade", help="rehearse the way from an earlier version to this one, and back")
    word.add_argument("ref", nargs="?", default="", help="its tag or commit; else that of the release before")
    word.add_argument("--database", default="", help="the URL of an empty PostgreSQL database; else SQLite")
    word.set_defaults(do=_upgrade)

    word = words.add_parser("notes", help="what CHANGELOG.md says of a version")
    word.add_argument("version")
    word.add_argument("--tag", action="store_true", help="it is a tag, v and the version of pyproject.toml")
    word.set_defaults(do=_notes)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
