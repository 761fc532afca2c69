"""Where does the time of a replay go? A flame graph of it, and one of the same replay by earlier code.

`python -m tools.flame_graph docs/pictures`, or `make flames`: simulates a campaign, replays it by the code of this tree
and by that of BEFORE, each in a process of its own that looks at its own stack 200 times in a CPU second, and draws
both. What waits is not seen; a call into compiled code is the function that made it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType
from xml.sax.saxutils import escape

HERE = Path(__file__).parents[1]
EVERY_S = 0.005
LEAST = 0.003  # of all samples: what took less is not drawn
WIDTH, ROW, LETTER = 1_200.0, 17, 6.3
COLOURS = {
    "stream/contract": "#8ecae6", "stream/pipeline": "#90be6d", "stream": "#b7d7a8",
    "detectors/counts": "#f9c74f", "detectors/comparison": "#f8961e", "detectors/ties": "#f3722c",
    "detectors": "#f9844a",
}  # fmt: skip
OTHER = "#ced4da"
Tree = dict[str, "tuple[int, Tree]"]


def sample(log: str) -> None:
    """Replay the log in this process, with the packages that it imports, and print (stack, samples) pairs as JSON."""
    stacks: Counter[tuple[str, ...]] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append(_name(frame))
            frame = frame.f_back
        stacks[tuple(reversed(stack))] += 1

    from stream.commands.begin.backtest import Asked, run
    from stream.configuration import settings
    from stream.pipeline.announced import Catalogue

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    run(Asked([log]), settings.load(), Catalogue())
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    print(json.dumps(list(stacks.items())))


def _name(frame: FrameType) -> str:
    """`detectors/ties/networks.py communities`; of others' code the package alone."""
    path = frame.f_code.co_filename
    for package in ("detectors", "stream"):
        at = path.rfind(f"/{package}/")
        if at >= 0 and "site-packages" not in path:
            return f"{path[at + 1 :]} {frame.f_code.co_name}"
    return path.rpartition("site-packages/")[2].partition("/")[0] if "site-packages" in path else "python"


def tree_of(stacks: list[tuple[list[str], int]]) -> Tree:
    """The samples of each frame by who called it; frames of one package that follow one another are one.

    >>> tree_of([(["python", "a f", "numpy", "numpy"], 2), (["python", "a f"], 1)])
    {'a f': (3, {'numpy': (2, {})})}
    """
    root: Tree = {}
    for stack, samples in stacks:
        at, last = root, "python"
        for name in stack:
            if name not in (last, "python"):
                seen, below = at.get(name, (0, {}))
                at[name] = (seen + samples, below)
                at, last = below, name
    return root


def drawn(tree: Tree, total: int, title: str) -> str:
    """The picture, as SVG: what was called stands on who called it, as wide as its part of the time."""
    boxes: list[str] = []
    depth = _draw(boxes, tree, 0.0, 0, total)
    height = (depth + 2) * ROW
    top = ROW - height  # the lowest boxes stand at 0
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top} {WIDTH:g} {height}" font-family="monospace" '
        f'font-size="11"><rect y="{top}" width="{WIDTH:g}" height="{height}" fill="#fff"/>'
        f'<text x="4" y="{top + 13}" font-weight="bold">{escape(title)}</text>'
    )
    return head + "".join(boxes) + "</svg>\n"


def _draw(boxes: list[str], tree: Tree, left: float, level: int, total: int) -> int:
    """Draw one level from `left` on, and what stands on it; how many levels there are."""
    deepest = level
    for name, (samples, below) in sorted(tree.items()):
        if samples >= LEAST * total:
            width = WIDTH * samples / total
            boxes.append(_box(name, left, level, width, samples / total))
            deepest = max(deepest, _draw(boxes, below, left, level + 1, total))
            left += width
    return deepest


def _box(name: str, left: float, level: int, width: float, part: float) -> str:
    colour = next((colour for room, colour in COLOURS.items() if name.startswith(room + "/")), OTHER)
    top = -level * ROW
    said = name.rpartition("/")[2].replace(".py ", " ")
    label = said[: int((width - 4) / LETTER)] if width > 5 * LETTER else ""
    return (
        f'<rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" fill="{colour}">'
        f"<title>{escape(name)}: {part:.1%}</title></rect>"
        f'<text x="{left + 2:.1f}" y="{top + 12}" pointer-events="none">{escape(label)}</text>'
    )


def main(folder: Path) -> None:
    """Simulate, replay by both, draw."""
    from benchmarks.cost.judging import BEFORE, unpack

    with tempfile.TemporaryDirectory() as work:
        log, old = Path(work) / "log.ndjson.zst", Path(work) / "before"
        old.mkdir()
        unpack(BEFORE, old)
        story = ("--scenario", "pivot", "--accounts", "600", "--days", "5.5", "--seed", "3")
        subprocess.run([sys.executable, "-m", "stream", "simulate", *story, "--output", str(log)], check=True, cwd=HERE)
        for name, tree, said in (("flame-before", old, f"at {BEFORE}"), ("flame", HERE, "now")):
            done = subprocess.run(
                [sys.executable, __file__, "--sample", str(log)], check=True, capture_output=True, text=True,
                cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)},
            )  # fmt: skip
            stacks = json.loads(done.stdout.splitlines()[-1])
            total = sum(samples for _, samples in stacks)
            title = f"swerve backtest, {said}: {total * EVERY_S:.1f} CPU seconds ({' '.join(story)})"
            (folder / f"{name}.svg").write_text(drawn(tree_of(stacks), total, title))


if __name__ == "__main__":
    sample(sys.argv[2]) if sys.argv[1] == "--sample" else main(Path(sys.argv[1]))
