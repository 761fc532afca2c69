#!/usr/bin/env python
"""Puts what `make quality` printed on standard input into a Markdown file, between the same two markers.

Usage: ... | tools/readme_table.py README.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MARKED = re.compile(r"<!-- (?P<name>[a-z-]+): begin -->.*?<!-- (?P=name): end -->", re.DOTALL)


def replaced(document: str, printed: str) -> str:
    """The document with its marked part replaced by the one that was printed. Raises ValueError where either has none.

    >>> replaced("a <!-- t: begin -->old<!-- t: end --> b", "log <!-- t: begin -->new<!-- t: end -->")
    'a <!-- t: begin -->new<!-- t: end --> b'
    """
    table = MARKED.search(printed)
    if table is None:
        raise ValueError("standard input holds no table: expected text between <!-- NAME: begin --> and its end")
    begin = f"<!-- {table['name']}: begin -->"
    if begin not in document:
        raise ValueError(f"the document has no {begin}; put the two markers where the table belongs")
    return MARKED.sub(lambda old: table[0] if old["name"] == table["name"] else old[0], document)


def main(path: Path) -> int:
    """Replace in place; 2 where the table or its place is missing."""
    try:
        path.write_text(replaced(path.read_text("utf-8"), sys.stdin.read()), "utf-8")
    except ValueError as error:
        sys.stderr.write(f"readme_table: {path}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
