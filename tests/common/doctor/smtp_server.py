"""A mail server that greets, lets one user in, and remembers what it was told."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GOOD = base64.b64encode(b"\0shop\0right").decode()


@dataclass
class Mailbox:
    """Where the server listens, and the commands that came."""

    port: int = 0
    commands: list[str] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Serve on a free port of this machine."""
    mailbox = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 mail.example ready")
            for raw in self.rfile:
                line = raw.decode().strip()
                mailbox.commands.append(line.split()[0].upper())
                self.say(answer(line))
                if line.upper() == "QUIT":
                    return

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
    server.daemon_threads = True
    mailbox.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield mailbox
    finally:
        server.shutdown()
        server.server_close()


def answer(line: str) -> str:
    """What the server says to a command."""
    word = line.upper()
    if word.startswith("EHLO"):
        return "250-mail.example\r\n250 AUTH PLAIN"
    if word.startswith("AUTH PLAIN"):
        return "235 welcome" if line.endswith(GOOD) else "535 5.7.8 me@example.com: wrong password"
    return "221 bye" if word == "QUIT" else "502 not here"
