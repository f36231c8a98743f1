# SPDX-License-Identifier: Apache-2.0
"""Configuration files: which there are, and which names they set.

Reads the files that it is told of.  What an option is set to is nobody's
business here: an error names file and line, and shows nothing of the line.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_config import cfg
from oslo_config import iniparser

from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import bounded

Sections = Mapping[str, Mapping[str, int]]
"""Section in lower case -> option -> how often one file sets it."""

BYTES_MAX = 4 * 2**20


class ConfigUnreadable(NfvMlaError):
    """A configuration file cannot be read."""

    code = "config-unreadable"


def default_files(project: str, program: str) -> tuple[pathlib.Path, ...]:
    """Return the files that a service of that name reads by itself."""
    found = [
        *cfg.find_config_files(project, program),
        *cfg.find_config_dirs(project, program),
    ]
    return tuple(pathlib.Path(path) for path in found)


def load(paths: Sequence[pathlib.Path], project: str) -> cfg.ConfigOpts:
    """Return the options that these files set, in the order of the files.

    :param paths: files, or directories of ``*.conf``
    :raises ConfigUnreadable: naming the file at fault
    """
    words = []
    for path in paths:
        kind = "--config-dir" if path.is_dir() else "--config-file"
        words += [kind, str(path)]
    sections_of(paths)  # refuses what oslo.config would show in its error
    conf = cfg.ConfigOpts()
    try:
        conf(
            words,
            project=project,
            default_config_files=[],
            default_config_dirs=[],
        )
    except cfg.Error as exc:
        raise ConfigUnreadable(str(exc)) from None
    return conf


def sections_of(paths: Iterable[pathlib.Path]) -> Sections:
    """Return the names that these files set.

    :raises ConfigUnreadable: naming file and line
    """
    found: dict[str, dict[str, int]] = {}
    for path in paths:
        for file in sorted(path.glob("*.conf")) if path.is_dir() else [path]:
            names = _Names()
            try:
                with open(file, encoding="utf-8") as lines:
                    names.parse(lines.read(BYTES_MAX).splitlines())
            except iniparser.ParseError as exc:
                # its own message would show the line, secrets included
                raise ConfigUnreadable(
                    f"{file}:{exc.lineno}: {exc.msg}"
                ) from None
            except (OSError, UnicodeDecodeError) as exc:
                why = getattr(exc, "strerror", None) or "is not UTF-8"
                raise ConfigUnreadable(
                    f"{bounded(file, 160)}: {why}"
                ) from None
            for section, counts in names.sections.items():
                known = found.setdefault(section, {})
                for name, number in counts.items():
                    known[name] = max(number, known.get(name, 0))
    return found


class _Names(iniparser.BaseParser):
    """Counts names."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, dict[str, int]] = {}
        self._section: dict[str, int] | None = None

    def new_section(self, section: str) -> None:
        self._section = self.sections.setdefault(section.lower(), {})

    def assignment(self, key: str, value: list[str]) -> None:
        if self._section is None:
            raise iniparser.ParseError(
                "an option before the first section", self.lineno, ""
            )
        self._section[key] = self._section.get(key, 0) + 1
