# SPDX-License-Identifier: Apache-2.0
"""Read options of one section, and say in one line what is wrong with them.

For every section of ours; touches nothing but the values.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
from typing import Any

from oslo_config import cfg

from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One section of a configuration file, by the name of its group."""

    name: str

    def value(self, conf: cfg.ConfigOpts, option: cfg.Opt) -> Any:
        """Return one option's value, its type and bounds checked by oslo.

        :raises SettingsError: when it is not as it should be, or missing
        """
        try:
            found = conf[self.name][option.dest]
        except (cfg.Error, ValueError) as exc:
            said = str(exc).rpartition(" is not valid: ")[2]
            raise self.wrong(option.name, bounded(said, 160)) from None
        if isinstance(found, float) and not math.isfinite(found):
            raise self.wrong(option.name, "must be a finite number", found)
        if option.required and found in (None, "", []):
            raise self.wrong(option.name, "must be set")
        return found

    def path(self, name: str, text: str) -> pathlib.Path | None:
        """Return the path that an option says; None: it is not set.

        :raises SettingsError: when it is not absolute
        """
        if not text:
            return None
        if not text.startswith("/") or not text.isprintable():
            raise self.wrong(name, "must be an absolute path", text)
        return pathlib.Path(text)

    def wrong(
        self, name: str, message: str, value: object = ""
    ) -> SettingsError:
        """Return the error that names an option, and its value, bounded."""
        shown = f" ({bounded(value)!r})" if value != "" else ""
        return SettingsError(f"[{self.name}] {name}: {message}{shown}")
