"""How does a network become a picture? A matrix as inline SVG: a row for each shared value, a column for each account.

It is as wide as where it stands, and its letters stay as large as they are: places across are in parts of the width,
those down in pixels. What is near is told by a place of its own, a head and lower bars, and by its colour last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from stream.alerts.sentence import name
from stream.report.network import Holder, Network
from stream.spoken import count

HEAD, ROW, BAR, NEAR_BAR = 22, 31, 12, 6  # px: above the rows, of a row with its words, of a bar
MEMBERS_WIDE, NEAR_FROM = 76, 82  # percent of the width, where somebody is near
NEAR_WIDE = 100 - NEAR_FROM
WORD_MAX = 26  # letters of a value


def matrix(network: Network) -> Markup:
    """The picture. O(values x accounts drawn)."""
    height = HEAD + ROW * len(network.values)
    wide = MEMBERS_WIDE if network.near else 100
    parts = [
        *_heads(network),
        *_words(network),
        _bars(network.members, len(network.values), 0, wide, BAR, "belongs"),
    ]
    if network.near:
        parts.append(_bars(network.near, len(network.values), NEAR_FROM, NEAR_WIDE, NEAR_BAR, "nearby"))
    head = Markup('<svg class="matrix" width="100%" height="{}" role="img" aria-label="{}">').format(
        height, in_words(network)
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def in_words(network: Network) -> str:
    """What the picture shows, for who does not see it; all of its numbers are in the table behind it."""
    told = f"{count(network.members_total)} members by the {len(network.values)} strongest values that they share: "
    told += "; ".join(
        f"{name(one.dimension, 20)} {name(one.value, WORD_MAX)}, {count(one.members)} members, {count(one.near)} near"
        for one in network.values[:3]
    )
    if len(network.values) > 3:
        told += f"; and {len(network.values) - 3} more"
    return f"{told}. {count(network.near_total)} accounts are near: they carry some of it, and are no members."


def _heads(network: Network) -> Iterator[Markup]:
    drawn = len(network.members)
    of = f"the {count(drawn)} most involved of " if drawn < network.members_total else ""
    yield Markup('<text class="word strong" x="0" y="13">{}{} members</text>').format(of, count(network.members_total))
    if network.near:
        more = f" of {count(network.near_total)}" if len(network.near) < network.near_total else ""
        yield Markup('<text class="word strong" x="100%" y="13" text-anchor="end">{}{} near</text>').format(
            count(len(network.near)), more
        )


def _words(network: Network) -> Iterator[Markup]:
    """Above each bar its value, and how many carry it."""
    for row, one in enumerate(network.values):
        y = HEAD + ROW * row + 11
        said = f"{name(one.dimension, 12)} {name(one.value, WORD_MAX - len(name(one.dimension, 12)))}"
        near = f", {count(one.near)} near" if one.near else ""
        yield Markup('<text class="word" x="0" y="{}">{}</text>').format(y, said)
        yield Markup('<text class="axis" x="100%" y="{}" text-anchor="end">{} of {}{}</text>').format(
            y, count(one.members), count(network.members_total), near
        )


def _bars(holders: Sequence[Holder], rows: int, from_percent: int, percent: int, bar: int, style: str) -> Markup:
    """The bars of some accounts in a frame of their own, in which an account is one unit wide."""
    paths = Markup("").join(_row(holders, row, bar, style) for row in range(rows))
    return Markup(
        '<svg x="{}%" width="{}%" y="0" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(from_percent, percent, HEAD + ROW * rows, len(holders), HEAD + ROW * rows, paths)


def _row(holders: Sequence[Holder], row: int, bar: int, style: str) -> Markup:
    y = HEAD + ROW * row + 15
    runs = "".join(f"M{start} {y + BAR - bar}h{length}v{bar}h-{length}z" for start, length in _runs(holders, row))
    ground = Markup('<rect class="ground" x="0" y="{}" width="{}" height="{}"/>').format(y, len(holders), BAR)
    return ground + (Markup('<path class="{}" d="{}"/>').format(style, runs) if runs else Markup(""))


def _runs(holders: Sequence[Holder], row: int) -> Iterator[tuple[int, int]]:
    """(first, how many) of neighbours that all carry the value.

    >>> list(_runs([Holder("a", 1), Holder("b", 1), Holder("c", 2), Holder("d", 3)], 0))
    [(0, 2), (3, 1)]
    """
    at = 0
    for carries, group in groupby(holders, key=lambda one: one.carries >> row & 1):
        length = sum(1 for _ in group)
        if carries:
            yield at, length
        at += length
