"""What is to be done about an alert? The runbook, as a page: every alert links to its section."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

ALERTS, SELF = "runbook.md", "self-alerts.md"  # about the fleet's traffic, and about Swerve itself
CONTEXT = "Nothing: this is context, and reaches nobody unless it grows."
PAGES = {ALERTS: "/runbook", SELF: "/runbook/self"}


@lru_cache
def html(file: str = ALERTS) -> Markup:
    """The whole text; raw HTML in it stays text. Each section of a kind of alert is marked with the kind's name."""
    marker = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = marker.parse(re.sub(r'^<a id="[^"]*"></a>$', "", source(file), flags=re.MULTILINE))
    for head, words in pairwise(tokens):
        if head.type == "heading_open":
            head.attrSet("id", anchor(words.content))
    for token in tokens:
        token.children = _within(token.children) if token.children else token.children
    return Markup(marker.renderer.render(tokens, marker.options, {}))


def _within(words: list[Token]) -> list[Token]:
    """Links to files of the repository lead to their pages here; of those that have none, the words stay."""
    kept, is_inside = [], True
    for word in words:
        if word.type == "link_open":
            file, _, place = str(word.attrGet("href")).partition("#")
            if file in PAGES:
                word.attrSet("href", PAGES[file] + (f"#{place}" if place else ""))
            is_inside = str(word.attrGet("href")).startswith(("#", "/", "http"))
        if is_inside or not word.type.startswith("link_"):
            kept.append(word)
        is_inside = is_inside or word.type == "link_close"
    return kept


@lru_cache
def next_step(kind: str, severity: str) -> Markup:
    """What the runbook says is to be done about alerts of a kind; nothing where it has no section of it."""
    section = re.search(rf"^## {re.escape(kind)}:.*?(?=^## |\Z)", source(), flags=re.MULTILINE | re.DOTALL)
    words = (
        None if section is None else re.search(r"^\*\*Do\*\*: (.*?)\n\n", section[0], flags=re.MULTILINE | re.DOTALL)
    )
    if words is None:
        return Markup("")
    return Markup(MarkdownIt("commonmark", {"html": False}).renderInline(_of_severity(words[1], severity)))


def _of_severity(words: str, severity: str) -> str:
    """What is said to everybody, and to whoever has an alert of this severity.

    >>> _of_severity("`critical`: ban them. `warning`: ask.", "warning"), _of_severity("hand over.", "warning")
    ('Ask.', 'Hand over.')
    """
    first, *rest = re.split(r"`(critical|warning)`: ", words)
    own = [text for of, text in zip(rest[::2], rest[1::2], strict=True) if of == severity]
    text = (first + "".join(own)).strip() or CONTEXT
    return text[:1].upper() + text[1:]


def anchor(title: str) -> str:
    """The name of a section: its first word where that is a kind of alert, else all words.

    >>> anchor("release_shift: traffic moved"), anchor("How to mark it")
    ('release_shift', 'how-to-mark-it')
    """
    kind = re.match(r"`?([a-z]+(?:_[a-z]+)+)`?:", title)
    return kind[1] if kind else re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def source(file: str = ALERTS) -> str:
    """A file of the documentation; a test holds this copy of it to the original."""
    return (resources.files("stream.console") / file).read_text("utf-8")
