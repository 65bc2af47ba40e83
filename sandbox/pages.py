"""The frame of every page a person sees: no scripts, nothing fetched from elsewhere."""

from __future__ import annotations

from html import escape
from string import Template

NOTICE = "Sandbox: no real money moves"

STYLE = """
:root { color-scheme: light dark; --ground: #f5f6f8; --card: #fff; --ink: #1b1f27; --soft: #5b6472; --line:
  #dfe3e9;
  --main: #0b6b53; --main-ink: #fff; --bad: #a1261c; --notice: #fff3d1; --notice-ink: #5c4400; }
@media (prefers-color-scheme: dark) { :root { --ground: #12151a; --card: #1b2027; --ink: #eef1f5; --soft:
  #a3adba;
  --line: #343c47; --main: #3fbf9b; --main-ink: #06231b; --bad: #ff9d92; --notice: #3a2f10; --notice-ink:
  #ffe3a0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
.notice { background: var(--notice); color: var(--notice-ink); text-align: center; padding: .5rem 1rem;
  margin: 0;
  font-weight: 600; }
main { max-width: 26rem; margin: 0 auto; padding: 1.25rem 1rem 2.5rem; }
main.wide { max-width: 68rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem;
  margin: 0 0 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; } p:last-child { margin-bottom: 0; }
.amount { font-size: 2rem; font-weight: 700; letter-spacing: -.02em; margin: 0; font-variant-numeric:
  tabular-nums; }
.soft { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
form { margin: 0 0 .6rem; } form:last-child { margin-bottom: 0; }
label { display: block; font-size: .9rem; color: var(--soft); margin-bottom: .25rem; }
button, input, select { font: inherit; width: 100%; min-height: 2.75rem; border-radius: 8px; padding: .5rem
  .75rem;
  border: 1px solid var(--line); background: var(--card); color: var(--ink); }
button { cursor: pointer; font-weight: 600; }
button.main { background: var(--main); border-color: var(--main); color: var(--main-ink); }
button.bad { color: var(--bad); }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; align-items: end; }
.pair form { margin: 0; }
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: .6rem; }
.three button { padding: .5rem .25rem; }
details { margin-top: .75rem; } details > form { margin-top: .75rem; }
summary { cursor: pointer; font-weight: 600; color: var(--main); padding: .35rem 0; }
ul { margin: 0; padding-left: 1.25rem; }
.pair + p, .pair + div { margin-top: .6rem; }
main > h1 { margin: 0 0 .75rem; }
a { color: var(--main); }
code { display: inline-block; max-width: 100%; overflow-wrap: anywhere; }
@media (max-width: 32rem) { .wide .pair { grid-template-columns: 1fr; } }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { white-space: nowrap; text-align: left; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); }
td button { min-height: 2rem; width: auto; padding: .15rem .6rem; white-space: nowrap; }
"""

FRAME = Template("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title><link rel="icon" href="data:,"><style>$style</style></head>
<body><p class="notice">$notice</p><main class="$width">$body</main></body>
</html>
""")


def page(title: str, body: str, *, wide: bool = False) -> str:
    """A whole page; `body` is HTML and must be escaped already."""
    return FRAME.substitute(
        title=escape(title), style=STYLE, notice=NOTICE, body=body, width="wide" if wide else "narrow"
    )


def card(*parts: str) -> str:
    return f'<section class="card">{"".join(parts)}</section>'
