"""The repository's own Python, parsed: what it imports, how long it is, what is documented."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """module: in full, `detectors.counts.rows`; line: where."""

    path: str
    line: int
    module: str


@cache
def tracked(*patterns: str) -> tuple[str, ...]:
    """Files under version control, and those about to be, by pattern; relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(name for name in set(out.splitlines()) if (ROOT / name).is_file()))


@cache
def tree(path: str) -> ast.Module:
    """The file, parsed."""
    return ast.parse((ROOT / path).read_text("utf-8"), path)


def imports(path: str) -> Iterator[Import]:
    """Every import of the file, those inside functions included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield Import(path, node.lineno, module)
            # `from stream.kafka import broker` imports stream.kafka.broker; a name that is no module does no harm here.
            for alias in node.names:
                yield Import(path, node.lineno, f"{module}.{alias.name}")


def functions(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public(path: str) -> Iterator[tuple[ast.AST, int, str]]:
    """(node, line, name) of the module and of everything in it that others may use, but properties that override."""
    module = tree(path)
    yield module, 1, path
    for node in module.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        yield node, node.lineno, node.name
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                    yield inner, inner.lineno, f"{node.name}.{inner.name}"


def under(module: str, package: str) -> bool:
    """Whether the module is the package, or inside it."""
    return module == package or module.startswith(package + ".")
