# SPDX-License-Identifier: Apache-2.0
"""What a node's firmware and kernel do: measure, and keep the lists.

The lists are files of the node's directory, as a kernel shows them: a node's
process may die and come back, and finds them; a reboot starts them anew.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from keylime_box import golden
from keylime_box.inside.chip import Chip


class Kernel:
    """Measurements of one machine since its last boot.

    :param directory: the node's own
    :param chip: is extended by whatever is measured
    """

    def __init__(self, directory: Path, chip: Chip) -> None:
        self._chip = chip
        self._boot_log = directory / "binary_bios_measurements"
        self._list = directory / "ascii_runtime_measurements"
        self._booted = directory / "booted.json"

    def boot(
        self, firmware: str, tags: Mapping[int, bytes], boot_s: int
    ) -> None:
        """Boot, unless the machine is up already.

        :param boot_s: what its clock says
        """
        if self._booted.exists():
            return
        events = golden.boot(firmware, tags)
        for event in events:
            self._chip.extend(event.pcr, event.digest)
        self._boot_log.write_bytes(golden.boot_log(events))
        self._list.write_text("")
        for path, digest in golden.runtime_list(events):
            self.measure(path, digest)
        self._booted.write_text(json.dumps(boot_s))

    def run(self, path: str, content: bytes) -> None:
        """Run a file: IMA measures it first."""
        self.measure(path, sha256(content).digest())

    def measure(self, path: str, digest: bytes) -> None:
        """Append an entry to IMA's list."""
        entry = golden.ImaEntry(digest, path)
        with self._list.open("a") as appended:
            appended.write(entry.line() + "\n")
        self._chip.extend(golden.IMA_PCR, sha256(entry.template).digest())

    @property
    def boot_s(self) -> int:
        """When the machine booted, in seconds since 1970."""
        booted: int = json.loads(self._booted.read_text())
        return booted

    def boot_log(self) -> bytes:
        """Return the binary log of the boot."""
        return self._boot_log.read_bytes()

    def runtime_list(self) -> list[str]:
        """Return the lines of IMA's list."""
        return self._list.read_text().splitlines()
