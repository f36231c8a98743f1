# SPDX-License-Identifier: Apache-2.0
"""The demo's way to switch hosts off: two small scripts, and a directory.

Elsewhere this is ipmitool or Redfish.  Whoever wants a host off leaves its
name in the directory; the demo, which is the hosts, switches it off, and then
leaves a word of it for whoever asks.
"""

from __future__ import annotations

import pathlib

_OFF = """\
#!/bin/sh
# switch a host off: power-off HOST
: > "{directory}/$1.wanted"
"""
_STATUS = """\
#!/bin/sh
# say whether a host is off: power-status HOST
if [ -e "{directory}/$1.off" ]; then echo off; else echo on; fi
"""


class Power:
    """Who is to be switched off, and who is."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        directory.mkdir()
        self.off = (self._script("power-off", _OFF), "{host}")
        self.status = (self._script("power-status", _STATUS), "{host}")

    def wanted(self) -> list[str]:
        """Return the hosts that are to be switched off, and are on."""
        return [
            path.stem
            for path in sorted(self._directory.glob("*.wanted"))
            if not path.with_suffix(".off").exists()
        ]

    def is_off(self, host: str) -> None:
        """Have it known that a host is off."""
        (self._directory / f"{host}.off").touch()

    def hosts_off(self) -> list[str]:
        """Return the hosts that are off."""
        return [path.stem for path in sorted(self._directory.glob("*.off"))]

    def forget(self) -> None:
        """Have it that every host is on, and stays so."""
        for pattern in ("*.wanted", "*.off"):
            for path in self._directory.glob(pattern):
                path.unlink()

    def _script(self, name: str, text: str) -> str:
        path = self._directory / name
        path.write_text(text.format(directory=self._directory))
        path.chmod(0o700)
        return str(path)
