#!/usr/bin/env python
"""How many lines stand around Faust in a stage, and how many are a plain loop over aiokafka? Prints both.

Around Faust: the files that know it, whole. The plain loop: the functions of ingest that read, seek, commit, and go on
after a rebalance. Counted are lines of code, without those that are empty, comments or docstrings. Not in the plain
loop is what it would need for a state: a changelog written and read, and a standby.
"""

from __future__ import annotations

import ast
import io
import sys
import textwrap
import tokenize
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the parsed sources are those of the house's tests
from tests.house.sources import ROOT, functions

FAUST = ("stream/stages/faust_log.py", "stream/stages/private_parts.py", "stream/stages/stalled.py")
LOOP = "stream/ingest/worker.py"
READS = ("run", "_read", "_take", "_tell_what_was_deleted", "_commit", "_committed", "_begin", "on_partitions_revoked",
         "on_partitions_assigned")  # fmt: skip

AROUND = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines(code: str) -> int:
    r"""Lines on which something stands that is neither a comment nor a docstring.

    >>> lines("'Said.'\n\na = [\n    1,  # one\n    # two\n]\n")
    3
    """
    held: set[int] = set()
    begins = True  # a line of code: a text that begins one, and is all of it, is a docstring
    for one in tokenize.generate_tokens(io.StringIO(code).readline):
        if one.type in AROUND:
            begins = begins or one.type == tokenize.NEWLINE
        else:
            if not (begins and one.type == tokenize.STRING):
                held |= set(range(one.start[0], one.end[0] + 1))
            begins = False
    return len(held)


def code_of(path: str, name: str = "") -> str:
    """The file; of it the function of this name."""
    text = (ROOT / path).read_text("utf-8")
    if not name:
        return text
    (found,) = (one for one in functions(path) if one.name == name)
    return textwrap.dedent(ast.get_source_segment(text, found, padded=True) or "")


def main() -> None:
    """One line each, and the two sums."""
    for path in FAUST:
        print(f"{lines(code_of(path)):5} {path}")
    print(f"{sum(lines(code_of(path)) for path in FAUST):5} around Faust")
    print(f"{sum(lines(code_of(LOOP, one)) for one in READS):5} a plain loop: {', '.join(READS)} of {LOOP}")


if __name__ == "__main__":
    main()
