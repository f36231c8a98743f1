# SPDX-License-Identifier: Apache-2.0
"""What a healthy node measures, and what a policy may therefore ask.

Pure: both sides of the box compute from here, so that no value is written
down twice.  Digests are SHA-256 throughout.
"""

import struct
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from hashlib import sha1
from hashlib import sha256
from typing import NamedTuple

ZERO = bytes(32)
IMA_PCR = 10
# Keylime's own list of those that a log of a boot speaks for.
BOOT_PCRS = (*range(10), *range(11, 16))
FIRMWARE = "box firmware 1.0"
_AGGREGATED = range(10)
_GRUB = b"grub_cmd: "

# Types of events: TCG PC Client Platform Firmware Profile, table 14.
_EV_NO_ACTION = 0x03
_EV_SEPARATOR = 0x04
_EV_EVENT_TAG = 0x06
_EV_S_CRTM_VERSION = 0x08
_EV_IPL = 0x0D
_ALG_SHA256 = 0x000B

#: Files that a healthy node runs: path -> content.
FILES: Mapping[str, bytes] = {
    "/usr/sbin/libvirtd": b"libvirtd 10.0",
    "/usr/bin/qemu-system-x86_64": b"qemu 9.0",
    "/usr/bin/nova-compute": b"nova-compute 32.0",
}


class Event(NamedTuple):
    """One event of a boot, as the firmware logs it."""

    pcr: int
    kind: int
    data: bytes

    @property
    def digest(self) -> bytes:
        """Return what the PCR is extended by."""
        measured = self.data
        if measured.startswith(_GRUB):
            # GRUB logs more of its commands than it measures.
            measured = measured.removeprefix(_GRUB).rstrip(b"\0")
        return sha256(measured).digest()

    def logged(self) -> bytes:
        """Return a TCG_PCR_EVENT2."""
        return (
            struct.pack("<IIIH", self.pcr, self.kind, 1, _ALG_SHA256)
            + self.digest
            + struct.pack("<I", len(self.data))
            + self.data
        )


def boot(
    firmware: str = FIRMWARE, tags: Mapping[int, bytes] | None = None
) -> list[Event]:
    """Return the events of one boot.

    :param tags: PCR -> what is provisioned into it, such as a location
    """
    version = firmware.encode("utf-16-le") + b"\0\0"
    return [
        Event(0, _EV_S_CRTM_VERSION, version),
        *(Event(pcr, _EV_SEPARATOR, bytes(4)) for pcr in range(8)),
        Event(8, _EV_IPL, _GRUB + b"linux /vmlinuz\0"),
        Event(9, _EV_IPL, b"/vmlinuz\0"),
        *(
            Event(pcr, _EV_EVENT_TAG, tag)
            for pcr, tag in sorted((tags or {}).items())
        ),
    ]


def boot_log(events: Sequence[Event]) -> bytes:
    """Return the binary log that a kernel would show of these events."""
    specification = (
        b"Spec ID Event03\0"
        + struct.pack("<IBBBB", 0, 0, 2, 0, 2)
        + struct.pack("<IHH", 1, _ALG_SHA256, 32)
        + b"\0"
    )
    header = struct.pack("<II20sI", 0, _EV_NO_ACTION, b"", len(specification))
    return (
        header + specification + b"".join(event.logged() for event in events)
    )


def reference(events: Sequence[Event]) -> Mapping[str, Sequence[str]]:
    """Return a measured-boot policy that knows these events alone."""
    return {"events": [event.digest.hex() for event in events]}


def extended(*digests: bytes, value: bytes = ZERO) -> bytes:
    """Return what a PCR holds after these extensions."""
    for digest in digests:
        value = sha256(value + digest).digest()
    return value


def measured(*data: bytes) -> bytes:
    """Return what a PCR holds after such data was measured into it."""
    return extended(*(sha256(each).digest() for each in data))


def boot_aggregate(events: Sequence[Event]) -> bytes:
    """Return IMA's first entry: a digest over the PCRs of the boot."""
    return sha256(
        b"".join(
            extended(*(event.digest for event in events if event.pcr == pcr))
            for pcr in _AGGREGATED
        )
    ).digest()


def runtime_list(events: Sequence[Event]) -> Iterator[tuple[str, bytes]]:
    """Yield what a healthy node measures at run time: names and digests."""
    yield "boot_aggregate", boot_aggregate(events)
    for path, content in FILES.items():
        yield path, sha256(content).digest()


class ImaEntry(NamedTuple):
    """One entry of IMA's list, of the template ``ima-ng``."""

    digest: bytes
    path: str

    @property
    def template(self) -> bytes:
        """Return what is hashed into PCR 10."""
        digest = b"sha256:\0" + self.digest
        path = self.path.encode() + b"\0"
        return (
            struct.pack("<I", len(digest))
            + digest
            + struct.pack("<I", len(path))
            + path
        )

    def line(self) -> str:
        """Return the entry as the kernel shows it."""
        return (
            f"{IMA_PCR} {sha1(self.template).hexdigest()} ima-ng"
            f" sha256:{self.digest.hex()} {self.path}"
        )
