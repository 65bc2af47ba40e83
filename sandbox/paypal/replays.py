"""`PayPal-Request-Id`: a repeated call gets the first answer again, for as long as the id is kept.

Only what was done is remembered; a refused call may be repeated under the same id and is judged anew.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.paypal.books import Books
from sandbox.paypal.models import Reply
from sandbox.paypal.reading import read_request_id
from sandbox.web import Call, Json
from sandbox.world import World

HOUR_S = 3_600
KEPT_S = {
    "order": 6 * HOUR_S,
    "capture": 6 * HOUR_S,
    "refund": 45 * 24 * HOUR_S,
    "setup_token": 3 * HOUR_S,
    "payment_token": 3 * HOUR_S,
}


class Replays:
    def __init__(self, world: World, books: Books) -> None:
        self._world, self._books = world, books

    def once(self, kind: str, call: Call, do: Callable[[], Json]) -> tuple[Json, int]:
        """Do it and answer 201, or repeat the first answer with 200. Raises what `do` raises."""
        request_id = read_request_id(call.request)
        key = f"{kind} {request_id}"
        known = self._books.replies.get(key) if request_id else None
        if known and "ignore_key" not in call.hits and known.kept_until > self._world.clock.now():
            return known.body, 200
        body = do()
        if request_id:
            self._keep(Reply(id=key, body=body, kept_until=self._world.clock.now() + KEPT_S[kind]))
        return body, 201

    def _keep(self, reply: Reply) -> None:
        now = self._world.clock.now()
        oldest = next(iter(self._books.replies.values()), None)
        if oldest and oldest.kept_until <= now:
            self._books.forget_reply(oldest)
        self._books.save_reply(reply)
