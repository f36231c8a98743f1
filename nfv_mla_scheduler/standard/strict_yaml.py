# SPDX-License-Identifier: Apache-2.0
"""Read a YAML document that says one thing only, and knows its lines.

Pure: bytes in, values out.  What YAML adds to plain data is refused, since a
signed document must mean to a machine what its signers read in it:

* one document, UTF-8, within a size and ``DEPTH_MAX`` levels
* no anchors, aliases or tags; every key is a string and stands once
* a plain word is a string, save ``true``, ``false``, ``null`` (also ``~`` or
  nothing at all) and whole numbers; ``6.10``, ``NO``, ``0x1f``, ``1_000`` and
  ``2026-01-01`` stay what was written
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded

DEPTH_MAX = 32
PROBLEMS_MAX = 100

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_DIGITS_MAX = 18
_WORDS: dict[str, bool | None] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}


def format_path(path: Path) -> str:
    """Return ``path`` as a reader finds it: ``pools.core.members[2]``."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append(f".{bounded(step)}" if parts else bounded(step))
    return "".join(parts) or "document"


@dataclasses.dataclass(slots=True)
class _Lines:
    """The line of a node, and of those below it."""

    line: int
    below: dict[str | int, _Lines] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document as plain values, with the line of every one of them.

    :ivar value: ``dict`` with ``str`` keys, ``list``, ``str``, ``int``,
        ``bool`` or ``None``; ``None`` also for an empty document
    """

    value: Any
    _lines: _Lines

    def line(self, path: Path = ()) -> int:
        """Return the line, counted from 1, at which ``path`` stands.

        That of an entry of a mapping is the line of its key.  What is missing
        is looked for in the nearest value around it that does exist.
        """
        node = self._lines
        for step in path:
            below = node.below.get(step)
            if below is None:
                break
            node = below
        return node.line


def read_yaml(data: bytes, *, max_bytes: int) -> YamlDocument:
    """Return the one document in ``data``.

    :param max_bytes: what is longer is refused unread
    :raises DocumentError: with every fault found; nothing else is raised,
        whatever ``data`` holds
    """
    if len(data) > max_bytes:
        raise _refusal(f"longer than {max_bytes} bytes", value=len(data))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise _refusal("is not UTF-8", line=line) from None
    return _Builder().build(_events(text.removeprefix("\ufeff")))


def _refusal(
    message: str, *, line: int = 0, value: object = ""
) -> DocumentError:
    problem = Problem("document", message, bounded(value), line)
    return DocumentError((problem,))


def _loader(text: str) -> Any:
    """Return libyaml's parser if it is there: it is ten times as fast."""
    if yaml.__with_libyaml__:
        return yaml.CSafeLoader(text)
    return yaml.SafeLoader(text)


def _events(text: str) -> Iterator[Any]:
    """Yield the parser's events; only :class:`DocumentError` escapes."""
    loader = None
    try:
        loader = _loader(text)
        while loader.check_event():
            yield loader.get_event()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 0
        what = exc.problem or exc.context or "cannot be parsed"
        raise _refusal(f"not YAML: {what}", line=line) from None
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, max(exc.position, 0)) + 1
        raise _refusal(f"not YAML: {exc.reason}", line=line) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        # the pure-Python scanner lets chr() fail on "\UFFFFFFFF"
        raise _refusal("not YAML: cannot be parsed") from None
    finally:
        if loader is not None:
            loader.dispose()


@dataclasses.dataclass(slots=True)
class _Frame:
    """A mapping or sequence that is still open."""

    value: dict[str, Any] | list[Any]
    lines: _Lines
    path: Path
    seen: dict[str, int] = dataclasses.field(default_factory=dict)
    key: str | None = None
    key_line: int = 0
    skip: bool = False


class _Builder:
    """Turn events into values, with a stack of our own in place of calls."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._root: Any = None
        self._root_lines = _Lines(1)
        self._documents = 0

    def build(self, events: Iterator[Any]) -> YamlDocument:
        """Consume ``events``; stop at once at what cannot be bounded."""
        for event in events:
            self._take(event)
            if len(self._problems) >= PROBLEMS_MAX:
                break
        if self._problems:
            raise DocumentError(tuple(self._problems))
        return YamlDocument(self._root, self._root_lines)

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop("holds more than one document", line)
        elif isinstance(event, yaml.AliasEvent):
            self._note("aliases are not allowed", f"*{event.anchor}", line)
            self._place(None, _Lines(line), is_key=self._wants_key())
        elif isinstance(event, yaml.ScalarEvent):
            self._check_properties(event, line)
            self._take_scalar(event, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check_properties(event, line)
            self._open(isinstance(event, yaml.MappingStartEvent), line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()

    def _check_properties(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._note("anchors are not allowed", f"&{event.anchor}", line)
        if event.tag is not None:
            self._note("tags are not allowed", event.tag, line)

    def _take_scalar(self, event: Any, line: int) -> None:
        value: Any = event.value
        if any("\ud800" <= c <= "\udfff" for c in event.value):
            self._note("half of a surrogate pair", event.value, line)
        elif event.style:  # quoted or a block: a string, whatever it says
            pass
        elif not _INTEGER.fullmatch(event.value):
            value = _WORDS.get(event.value, value)
        elif len(event.value) > _DIGITS_MAX:
            self._note("number too long", event.value, line)
        else:
            value = int(event.value)
        self._place(value, _Lines(line), is_key=self._wants_key())

    def _wants_key(self) -> bool:
        if not self._stack:
            return False
        top = self._stack[-1]
        return isinstance(top.value, dict) and top.key is None

    def _open(self, mapping: bool, line: int) -> None:
        if len(self._stack) >= DEPTH_MAX:
            self._stop(f"nested deeper than {DEPTH_MAX} levels", line)
        value: dict[str, Any] | list[Any] = {} if mapping else []
        frame = _Frame(value, _Lines(line), self._here())
        frame.skip = self._wants_key()
        if not frame.skip:
            self._place(value, frame.lines, is_key=False)
        self._stack.append(frame)

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.skip:  # a mapping or sequence stood where a key belongs
            self._place(None, frame.lines, is_key=True)

    def _place(self, value: Any, lines: _Lines, *, is_key: bool) -> None:
        """Put a value or key where the innermost open container wants it."""
        if not self._stack:
            self._root, self._root_lines = value, lines
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.lines.below[len(top.value)] = lines
            top.value.append(value)
        elif is_key:
            self._take_key(top, value, lines.line)
        else:
            assert top.key is not None
            if top.key not in top.value:
                top.value[top.key] = value
                lines.line = top.key_line
                top.lines.below[top.key] = lines
            top.key = None

    def _take_key(self, top: _Frame, value: Any, line: int) -> None:
        top.key_line = line
        if not isinstance(value, str):
            self._note("a key must be a string: quote it", value, line)
            top.key = ""
            return
        top.key = value
        if value in top.seen:
            first = top.seen[value]
            self._note(f"key already stands at line {first}", "", line)
        else:
            top.seen[value] = line

    def _here(self) -> Path:
        if not self._stack:
            return ()
        top = self._stack[-1]
        if isinstance(top.value, list):
            return (*top.path, len(top.value))
        return top.path if top.key is None else (*top.path, top.key)

    def _note(self, message: str, value: object, line: int) -> None:
        shown = "null" if value is None else bounded(value)
        path = format_path(self._here())
        self._problems.append(Problem(path, message, shown, line))

    def _stop(self, message: str, line: int) -> None:
        self._note(message, "", line)
        raise DocumentError(tuple(self._problems))
