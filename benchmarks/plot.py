"""A line chart with logarithmic axes, as SVG that is readable on light and dark pages."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Point = tuple[float, float]

_WIDTH, _HEIGHT = 900, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 330, 40, 50
_COLOURS = ("#0072b2", "#56b4e9", "#009e73", "#d55e00", "#e69f00", "#cc79a7", "#888888", "#000000")
"""Okabe and Ito's, which people who see fewer colours can tell apart."""
_APART = 17


def chart(title: str, unit: str, lines: Mapping[str, Mapping[int, float]]) -> str:
    """Draw values over numbers of clients.

    Args:
        title: Stands over it.
        unit: Of the values, which are all above zero.
        lines: Values by clients, by the name of the line; lines without a value are left out.
    """
    drawn = {name: sorted(values.items()) for name, values in lines.items() if values}
    points = [point for line in drawn.values() for point in line]
    across = _decades([x for x, _ in points])
    up = _decades([y for _, y in points])

    def place(point: Point) -> Point:
        x = _LEFT + (math.log10(point[0]) - across[0]) / (across[1] - across[0]) * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - (math.log10(point[1]) - up[0]) / (up[1] - up[0]) * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    body: list[str] = []
    for power in range(across[0], across[1] + 1):
        x, y = place((10.0**power, 10.0 ** up[0]))
        body += [_line((x, _TOP), (x, y)), _text((x, y + 20), f"{10**power:,}", "middle")]
    for power in range(up[0], up[1] + 1):
        x, y = place((10.0 ** across[0], 10.0**power))
        body += [_line((x, y), (_WIDTH - _RIGHT, y)), _text((x - 8, y + 4), f"{10.0**power:g} {unit}", "end")]
    body.append(_text((_LEFT, 22), title, "start"))
    body.append(_text(((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10), "clients", "middle"))
    placed = {name: [place(point) for point in line] for name, line in drawn.items()}
    body += _drawn(placed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13">\n<title>{escape(title)}</title>\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _drawn(lines: Mapping[str, list[Point]]) -> Iterator[str]:
    last = 0.0
    # From the top down, each name at its line's end or as far below as the one above needs.
    order = sorted(lines, key=lambda name: lines[name][-1][1])
    for number, name in enumerate(order):
        colour, points = _COLOURS[number % len(_COLOURS)], lines[name]
        path = " ".join(f"{x},{y}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield from (f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points)
        last = max(points[-1][1] + 4, last + _APART)
        yield _text((_WIDTH - _RIGHT + 10, last), name, "start", colour)


def _decades(values: list[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _line(begin: Point, end: Point) -> str:
    return f'<line x1="{begin[0]}" y1="{begin[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#dddddd"/>'


def _text(at: Point, text: str, anchor: str, colour: str = "#333333") -> str:
    return f'<text x="{at[0]}" y="{at[1]}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
