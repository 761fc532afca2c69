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


@cache
def nodes(path: str) -> tuple[ast.AST, ...]:
    """All that the file is made of, walked once for all who ask."""
    return tuple(ast.walk(tree(path)))


@cache
def imports(path: str) -> tuple[Import, ...]:
    """Every import of the file, those inside functions included."""
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [Import(path, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found.append(Import(path, node.lineno, module))
            # `from stream.kafka import broker` imports stream.kafka.broker; a name that is no module does no harm here.
            found += [Import(path, node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return tuple(found)


def functions(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the file."""
    return (node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def documented(path: str) -> Iterator[tuple[str, ast.AST, int, str]]:
    """(what is said of it, node, line, name) of every function and method of the file that others may use."""
    for node in tree(path).body:
        if getattr(node, "name", "_").startswith("_"):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or "", node, node.lineno, node.name
        for inner in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                said = f"{ast.get_docstring(node)} {ast.get_docstring(inner)}"
                yield said, inner, inner.lineno, f"{node.name}.{inner.name}"


def raised(node: ast.AST) -> Iterator[str]:
    """Names of the errors that a function raises itself, and does not catch itself; what it calls is not looked at."""
    if isinstance(node, ast.Raise):
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(error, ast.Name) and error.id[0].isupper():
            yield error.id
    caught = (
        ast.unparse(ast.Tuple([one.type for one in node.handlers if one.type])) if isinstance(node, ast.Try) else ""
    )
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            is_guarded = isinstance(node, ast.Try) and inner in node.body
            yield from (one for one in raised(inner) if not (is_guarded and one in caught))


def under(module: str, package: str) -> bool:
    """Whether the module is the package, or inside it."""
    return module == package or module.startswith(package + ".")
