"""Do the hooks before a commit and a push run what `.ci/run` runs, all of it that needs no service?"""

from __future__ import annotations

import re

import yaml

from tests.house.sources import ROOT

NEEDS_SERVICES = {"test": {"quick"}, "helm-test": set()}  # what stands for it before a push


def targets(line: str) -> set[str]:
    """What `make` is asked for, its variables left out.

    >>> sorted(targets("make lint types GUARD=--quick"))
    ['lint', 'types']
    """
    return {word for word in line.split()[1:] if "=" not in word}


def test_what_must_pass_is_run_before_it_is_pushed():
    lines = re.findall(r"^(?:if .*then )?(make [^;\n]+)", (ROOT / ".ci" / "run").read_text("utf-8"), re.M)
    asked = set().union(*map(targets, lines))
    assert asked >= {"lint", "types", "test"}
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    hooked = set().union(*(targets(one["entry"]) for one in local["hooks"]))
    assert hooked == set().union(*(NEEDS_SERVICES.get(one, {one}) for one in asked))
