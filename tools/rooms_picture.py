#!/usr/bin/env python
"""Draws the rooms of the code and who imports whom into docs/pictures/rooms.svg; --check fails when it is not fresh.

A room is a folder of `detectors` or `stream` with all that is in it, or a file that stands alone. Each stands above
everything that it imports. Drawn are the arrows that no way over other rooms says already, so that the picture can be
read; `tests/house/test_imports.py` holds all of them.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the parsed sources are those of the house's tests
from tests.house.sources import ROOT, imports, tracked, tree

PICTURE = ROOT / "docs" / "pictures" / "rooms.svg"
LEFT_OUT = {"stream.errors", "stream.__main__", "stream.cli", "detectors"}  # all import the first, nobody the others
WIDTH, FLOOR, BOX_WIDTH, BOX_HEIGHT = 1120, 74, 118, 38
ROUNDS = 8  # of putting each room below those that import it
COLOURS = {"detectors": ("#e8f0fa", "#2b5c8f"), "stream": ("#f6efe2", "#8a6420")}
Arrows = dict[str, set[str]]
Place = tuple[str, int]  # a room, or an arrow that passes, and the floor


def room_of(module: str) -> str:
    """`stream.console.routes.api` is of stream.console."""
    return ".".join(module.split(".")[:2])


def measured() -> tuple[Arrows, Counter[str]]:
    """Of every room those that it imports, and how many files it has."""
    paths = tracked("detectors/*.py", "stream/*.py")
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in paths}
    held = {module for module, path in modules.items() if len(tree(path).body) > 1}  # an opening page holds nothing
    arrows: Arrows = {room_of(module): set() for module in held if room_of(module) not in LEFT_OUT}
    files = Counter(room_of(module) for module in held)
    for module, path in modules.items():
        for one in imports(path):
            here, there = room_of(module), room_of(one.module)
            if one.module in held and here in arrows and there in arrows and here != there:
                arrows[here].add(there)
    return arrows, files


def floors(arrows: Arrows) -> dict[str, int]:
    """Each room's floor: one above the highest that it imports. Raises ValueError where rooms import each other."""
    found: dict[str, int] = {}
    while len(found) < len(arrows):
        ready = [room for room in arrows if room not in found and arrows[room] <= set(found)]
        if not ready:
            raise ValueError(f"these rooms import each other: {sorted(set(arrows) - set(found))}")
        found |= {room: max((found[one] + 1 for one in arrows[room]), default=0) for room in ready}
    return found


def needed(arrows: Arrows, floor: dict[str, int]) -> Arrows:
    """The arrows that no way over other rooms says already."""
    reached: Arrows = {}
    for room in sorted(arrows, key=floor.__getitem__):
        reached[room] = arrows[room].union(*(reached[one] for one in arrows[room]))
    return {room: {one for one in below if not any(one in reached[other] for other in below)}
            for room, below in arrows.items()}  # fmt: skip


def ways(drawn: Arrows, floor: dict[str, int]) -> list[list[Place]]:
    """Each arrow as the places that it passes, one a floor: its room, gaps that nothing stands in, the other room."""
    return [
        [
            (room, floor[room]),
            *((f"{room} {one}", n) for n in range(floor[room] - 1, floor[one], -1)),
            (one, floor[one]),
        ]
        for room in sorted(drawn)
        for one in sorted(drawn[room])
    ]


def across(rooms: list[Place], passed: list[list[Place]]) -> dict[Place, float]:
    """How far to the right each place is: those of one floor side by side, each near those that it is tied to."""
    every = sorted({*rooms, *(place for way in passed for place in way)})
    tied: dict[Place, list[Place]] = {place: [] for place in every}
    for way in passed:
        for upper, lower in pairwise(way):
            tied[upper].append(lower)
            tied[lower].append(upper)
    rows = [[place for place in every if place[1] == n] for n in range(max(n for _, n in every) + 1)]
    x = {place: WIDTH * (at + 0.5) / len(row) for row in rows for at, place in enumerate(row)}
    for _ in range(ROUNDS):
        for row in rows:
            wish = {place: sum(x[one] for one in tied[place]) / max(len(tied[place]), 1) for place in row}
            row.sort(key=lambda place: (wish[place], place))
            x |= {place: WIDTH * (at + 0.5) / len(row) for at, place in enumerate(row)}
    return x


def svg(arrows: Arrows, files: Counter[str]) -> str:
    """The picture."""
    floor = floors(arrows)
    passed = ways(needed(arrows, floor), floor)
    x_of = across(list(floor.items()), passed)
    height = FLOOR * (max(floor.values()) + 1)
    place = {one: (x, height - FLOOR * (one[1] + 0.5)) for one, x in x_of.items()}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for way in passed:
        colour = COLOURS[way[-1][0].split(".")[0]][1]
        out.append(f'<path d="{line(way, place)}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>')
    for room in sorted(floor):
        out += box(room, files[room], *place[room, floor[room]])
    return "\n".join([*out, "</svg>", ""])


def line(way: list[Place], place: dict[Place, tuple[float, float]]) -> str:
    """From the foot of the upper box to the head of the lower, straight down where it passes a floor."""
    half = BOX_HEIGHT / 2
    x, y = place[way[0]]
    drawn = f"M{x:.0f} {y + half:.0f}"
    for upper, lower in pairwise(way):
        (x, y), (to_x, to_y) = place[upper], place[lower]
        y, to_y = y + half, to_y - half
        middle = (y + to_y) / 2
        drawn += f"C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
        if lower != way[-1]:
            drawn += f"V{to_y + BOX_HEIGHT:.0f}"
    return drawn


def box(room: str, count: int, x: float, y: float) -> list[str]:
    """A room: its name, its package, and how many files it has."""
    package, name = room.split(".")
    fill, edge = COLOURS[package]
    told = f"{package}, {count} file{'s' * (count > 1)}"
    return [
        f'<rect x="{x - BOX_WIDTH / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
        f'rx="5" fill="{fill}" stroke="{edge}"/>',
        f'<text x="{x:.0f}" y="{y - 1:.0f}" text-anchor="middle" font-size="14" fill="#222222">{name}</text>',
        f'<text x="{x:.0f}" y="{y + 13:.0f}" text-anchor="middle" font-size="10" fill="{edge}">{told}</text>',
    ]


def main() -> int:
    """Write the picture, or say that it is not fresh."""
    fresh = svg(*measured())
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(fresh, "utf-8")
        return 0
    if PICTURE.is_file() and PICTURE.read_text("utf-8") == fresh:
        return 0
    print("docs/pictures/rooms.svg is not what the imports say; run tools/rooms_picture.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
