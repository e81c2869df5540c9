"""Digests of our code, and whether what a verdict rests on is still what it was judged with.

A digest is of what code does: of its syntax tree without docstrings, comments and layout, which is the same on every Python
from 3.11 on. Of a recipe it is that of its content, without what it expects.

Nothing here imports torch, or what it looks at.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

from experiments import ROOT
from experiments.runs.files import inside


def stale(code: Mapping[str, str]) -> list[str]:
    """The files whose code is not what it was.

    Args:
        code: by name, as :func:`source_digest` takes it, the digests of then.
    """
    return sorted({name.partition(":")[0] for name, was in code.items() if source_digest(name) != was})


def source_digest(name: str) -> str:
    """The digest of a file of ours, as a summary or a record names it; empty where there is none, and for any other file.

    Args:
        name: ``lightning_modules/networks/fcn.py``; ``….py:measure,Net`` for what these functions and classes of a file use in
            it; ``experiments/recipes/….yaml``.
    """
    file, _, names = name.partition(":")
    path = ROOT / file
    if path.suffix not in (".py", ".yaml") or not inside(ROOT, path):
        return ""
    try:
        if path.suffix == ".yaml":
            return _recipe(path, *_state(path))
        found = source(path)
    except (OSError, ValueError, SyntaxError, RecursionError, yaml.YAMLError):
        return ""
    return found.named_digest(names) if names else found.digest


def joined(names: Iterable[str]) -> dict[str, str]:
    """The digests of files and definitions, one for each file, which is shorter to keep and to read.

    Args:
        names: as :func:`source_digest` takes them. Of a file that is among them whole, no definition is named beside it; of the
            definitions, none that another one uses.
    """
    files: dict[str, set[str]] = {}
    for name in names:
        file, _, definitions = name.partition(":")
        files.setdefault(file, set()).update(definitions.split(","))
    found = [
        file if "" in wanted else f"{file}:{','.join(_roots(source(ROOT / file), wanted))}" for file, wanted in files.items()
    ]
    return {name: source_digest(name) for name in sorted(found)}


def _roots(text: Source, names: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for name in sorted(names, key=lambda name: (-len(text.reached(name)), name)):
        if not any(name in text.reached(one) for one in kept):
            kept.append(name)
    return sorted(kept)


def source(path: Path) -> Source:
    """A file's syntax, read once as long as it stays as it is.

    Raises:
        OSError: there is none.
        SyntaxError: it is not Python.
    """
    return _source(path, *_state(path))


@dataclass(frozen=True)
class Import:
    """A name that a file takes from elsewhere."""

    module: str
    """With its dots, as it is written."""
    level: int
    name: str = ""
    """Of what is taken out of the module; empty where it is the module itself."""

    def __str__(self) -> str:
        return f"{'.' * self.level}{self.module}:{self.name}"


@dataclass(frozen=True)
class Source:
    """What a Python file holds at its top level, by name."""

    tree: ast.Module
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """The statements that bind a name here."""
    imports: dict[str, Import] = field(default_factory=dict)
    """Names from elsewhere, also those that a function imports for itself."""
    exports: dict[str, Import] = field(default_factory=dict)
    """Names that are imported for type checkers alone, which is how a lazy ``__init__`` says what it has."""
    stars: list[Import] = field(default_factory=list)
    """Of whose names all are taken, by type checkers too."""
    always: list[ast.stmt] = field(default_factory=list)
    """Statements that bind no name, and run with any of the others."""
    _digests: dict[str, str] = field(default_factory=dict)
    _used: dict[str, set[str]] = field(default_factory=dict)
    _texts: dict[ast.stmt, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        return _hexadecimal(_text(self.tree))

    def named_digest(self, names: str) -> str:
        """:meth:`digest_of` of names with commas between them, computed once."""
        if names not in self._digests:
            self._digests[names] = self.digest_of(*names.split(","))
        return self._digests[names]

    def digest_of(self, *wanted: str) -> str:
        """Of what functions and classes use here; empty where there is none of one of the names."""
        if not wanted or not self.definitions.keys() >= set(wanted):
            return ""
        names = self.reached(*wanted)
        texts = [f"{n}: {self.imports[n]}" for n in sorted(names & self.imports.keys())]
        return _hexadecimal("\n".join([*texts, *map(self._text_of, self.statements(names))]))

    def reached(self, *wanted: str) -> set[str]:
        """The names of this file, imported ones too, that functions or classes use, and those that they use."""
        waiting, found = {*wanted, *used(self.always)}, set[str]()
        while waiting:
            one = waiting.pop()
            if one not in found and (one in self.definitions or one in self.imports):
                found.add(one)
                waiting |= self._used_by(one)
        return found

    def _used_by(self, name: str) -> set[str]:
        if name not in self._used:
            self._used[name] = used(self.definitions.get(name, ()))
        return self._used[name]

    def _text_of(self, statement: ast.stmt) -> str:
        if statement not in self._texts:
            self._texts[statement] = _text(statement)
        return self._texts[statement]

    def statements(self, names: Iterable[str]) -> list[ast.stmt]:
        """Those that bind these names, and those that run in any case, in their order."""
        chosen = [*self.always, *(statement for name in names for statement in self.definitions.get(name, ()))]
        return sorted({id(statement): statement for statement in chosen}.values(), key=lambda statement: statement.lineno)


def used(statements: Iterable[ast.stmt]) -> set[str]:
    """All names in these statements."""
    return {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4096)
def _source(path: Path, changed: int, size: int) -> Source:
    found = Source(ast.parse(path.read_text(encoding="utf-8")))
    for statement in found.tree.body:
        _sort_in(statement, found)
    return found


def _sort_in(statement: ast.stmt, into: Source) -> None:
    """Files a statement of the top level away by the names that it binds."""
    for_types = isinstance(statement, ast.If) and _names(statement.test) == {"TYPE_CHECKING"}
    for node in _imports(statement):
        if isinstance(node, ast.Import):
            whole = {a.asname or a.name: Import(a.name, 0) for a in node.names}
            (into.exports if for_types else into.imports).update(whole)
        elif node.module != "__future__":
            taken = {a.asname or a.name: Import(node.module or "", node.level, a.name) for a in node.names}
            if star := taken.pop("*", None):
                into.stars.append(star)
            (into.exports if for_types else into.imports).update(taken)
    if for_types or isinstance(statement, ast.Import | ast.ImportFrom):
        return
    bound = list(_bound(statement))
    for name in bound:
        into.definitions.setdefault(name, []).append(statement)
    if not bound and not _is_docstring(statement):
        into.always.append(statement)


def _imports(statement: ast.stmt) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(statement) if isinstance(node, ast.Import | ast.ImportFrom))


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for target in targets:
        if target is not None:
            yield from _names(target)


def _names(node: ast.AST) -> set[str]:
    """The names in an expression; of ``typing.TYPE_CHECKING`` the last one."""
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _is_docstring(statement: ast.stmt) -> bool:
    """Whether it is a text that nobody takes: of a module, a class, a function or an attribute."""
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )


def _text(node: object) -> str:
    """A syntax tree as text: places, docstrings and whatever is empty left out, since versions of Python differ in these."""
    if isinstance(node, list):
        return f"[{' '.join(_text(inner) for inner in node if not (isinstance(inner, ast.Expr) and _is_docstring(inner)))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({' '.join(_pieces(node))})"
    fields = [(name, getattr(node, name, None)) for name in node._fields if name not in ("kind", "type_comment", "ctx")]
    return f"{type(node).__name__}({' '.join(f'{name}={_text(v)}' for name, v in fields if v is not None and v != [])})"


def _pieces(node: ast.JoinedStr) -> Iterator[str]:
    """Of an f-string; the text between two values is one, which Python 3.12 has in several."""
    text = ""
    for value in node.values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
        else:
            yield from [repr(text)] * bool(text)
            yield _text(value)
            text = ""
    yield from [repr(text)] * bool(text)


@lru_cache(maxsize=1024)
def _recipe(path: Path, changed: int, size: int) -> str:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        content.pop("expect", None)
    return _hexadecimal(json.dumps(content, sort_keys=True, default=str))


def _hexadecimal(text: str) -> str:
    """12 hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
