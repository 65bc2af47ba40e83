"""`./run [--host H] [--port 8000] [--sandbox-port 8001] [--data-dir var]`: everything, until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from launcher.environment import HOME, Installation, data_dir_of, outer_environment
from launcher.listening import add_listening, port_number
from launcher.processes import memory_of_group
from launcher.product import NotStarted, Product, Stopped

COMMANDS = """\
other words:
  ./run demo [--fault F]   one whole payment against a private product and sandbox (--gateway G)
  ./run demo --recurring   a year of a monthly payment, with a decline and a fault, then stopped
  ./run listen --forward-to http://127.0.0.1:3000/hooks   what happens in test mode, to your software
  ./run trigger payment.completed   let it happen, at the running product
  ./run web | worker       the web server alone | the worker alone, after `./run prepare` has made the tables
  ./run sandbox            the gateways' emulators alone
  ./run test [ARGS]        the test suite, on SQLite and PostgreSQL (ARGS go to pytest)
  ./run check | fix        every check | mend what can be mended by itself
  ./run bench              throughput beside the limits of this machine
  ./run fuzz               20,000 requests made up from the schema, by everybody who may call
  ./run audit              whether a dependency has a known hole (needs the network)
  ./run soak renewals      10,000 due in one minute, and workers that are killed: each charged once
  ./run lock               write requirements/*.lock anew
  ./run COMMAND [ARGS]     any management command, on the same data (./run help lists them)
"""

BANNER = """
Tillgate is ready after {seconds:.1f} s{memory}.

  API        {url}/api/v1/payments
  Docs       {url}/api/v1/docs
  Checkout   every new payment answers with its checkout_url
  Sandbox    {sandbox}
  Data       {data_dir}
  Commands   {command}
"""
TRY = """
Mails to customers are written into the folder mail of the data. Try it:

  curl -s {url}/api/v1/payments -H 'Content-Type: application/json' \\
    -d '{{"customer_name": "John Doe", "customer_email": "john@example.com", "amount": 50.00}}'

Open the checkout_url of the answer in a browser. Ctrl-C stops everything.
"""
LIVE = """
It listens at {host}:{port} alone, for the proxy in front of it. Ctrl-C stops everything.
"""


def main() -> int:
    """Serve until told to stop; 0 when that was orderly."""
    began = time.monotonic()
    outer = outer_environment()
    options = _options(outer)
    installation = Installation(
        data_dir=HOME / (options.data_dir or data_dir_of(outer)),
        host=options.host,
        port=options.port,
        sandbox_port=options.sandbox_port,
    )
    product = Product(installation, outer)
    product.obey_signals()
    try:
        product.start()
        _announce(product, outer, time.monotonic() - began)
        product.watch()
    except Stopped:
        pass
    except NotStarted as reason:
        product.stop()
        print(f"\n{reason}", file=sys.stderr)
        return 1
    print("\nStopping …", flush=True)
    product.stop()
    return 0


def _announce(product: Product, outer: Mapping[str, str], seconds: float) -> None:
    here = product.installation
    # Of real money nothing is tried by a line that is copied.
    is_local = outer["TILLGATE_ENV"] == "local"
    url = here.url if is_local else outer.get("TILLGATE_PUBLIC_URL") or here.url
    used = memory_of_group()
    memory = (
        f", using {used.rss:.0f} MB of memory (shared pages counted once: {used.pss:.0f} MB)" if used else ""
    )
    sandbox = (
        f"{here.sandbox_url}/ (no gateway account is used)"
        if product.has_sandbox
        else "off: gateway keys are set"
    )
    # In another terminal a command finds the data by this setting alone.
    named = "" if here.data_dir == data_dir_of({}) else f"TILLGATE_DATA_DIR={here.data_dir} "
    print(
        BANNER.format(
            seconds=seconds,
            memory=memory,
            url=url,
            sandbox=sandbox,
            data_dir=here.data_dir,
            command=f"{named}./run doctor, and others",
        )
        + (TRY.format(url=url) if is_local else LIVE.format(host=here.host, port=here.port)),
        end="",
        flush=True,
    )


def _options(outer: Mapping[str, str]) -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="./run", description=__doc__, epilog=COMMANDS, formatter_class=raw)
    add_listening(parser, outer)
    parser.add_argument(
        "--sandbox-port", type=port_number, default=8001, help="of the gateways' sandbox (8001)"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        help="database and secrets; relative to ./run (var). Commands in another terminal find them by "
        "TILLGATE_DATA_DIR",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
