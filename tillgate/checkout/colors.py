"""A merchant's colour, made into one that everybody can read on the checkout's pages, light or dark.

The button has the colour itself, and black or white letters on it, whichever is the easier to read: the
worse pair of all has a contrast of 4.58. Where the colour is a letter's or a line's, it is darkened or
lightened until it has 4.5 on the page. Source of the formulas: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

import re
from functools import cache

COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
BLACK, WHITE = "#000000", "#ffffff"
LIGHT_PAGE, DARK_PAGE = "#eff1ec", "#171e1b"  # The darkest ground of light pages, the lightest of dark ones.
READABLE, VISIBLE = 4.5, 3.0
STEPS = 20
HOVER = 0.15

Rgb = tuple[int, int, int]


@cache
def style_of(color: str) -> str:
    """Return the style sheet of a colour such as `#0a7d4f`; what is none has none."""
    if not COLOR.fullmatch(color):
        return ""
    light, dark = _rules(color, LIGHT_PAGE), _rules(color, DARK_PAGE)
    # Paper has a style of its own.
    return (
        f"@media screen {{ :root {{ {light} }} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def contrast(one: str, other: str) -> float:
    """Return how well two colours can be told apart: 1 not at all, 21 black on white."""
    darker, lighter = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (lighter + 0.05) / (darker + 0.05)


def letters_on(color: str) -> str:
    """Return black or white, whichever can be read the better."""
    return max((BLACK, WHITE), key=lambda letters: contrast(letters, color))


def seen_on(page: str, color: str, least: float) -> str:
    """Return the colour, changed no more than it takes to have a contrast of `least` on a page."""
    away = letters_on(page)
    mixed = (_mix(color, away, step / STEPS) for step in range(STEPS + 1))
    return next(shade for shade in mixed if contrast(shade, page) >= least)


def _rules(color: str, page: str) -> str:
    letters = letters_on(color)
    told = {
        "--accent": color,
        "--on-accent": letters,
        "--accent-deep": _mix(color, BLACK if letters == WHITE else WHITE, HOVER),  # Read better still.
        "--accent-ink": seen_on(page, color, READABLE),
        "--accent-edge": seen_on(page, color, VISIBLE),
        "--quiet": "1",
    }
    return " ".join(f"{name}: {value};" for name, value in told.items())


def _rgb(color: str) -> Rgb:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_rgb(color), _rgb(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (_linear(part / 255) for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
