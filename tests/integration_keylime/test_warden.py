# SPDX-License-Identifier: Apache-2.0
"""That nothing is left of a box, however it ends, and that it says no well."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from keylime_box import installation
from keylime_box.box import Box
from keylime_box.errors import BoxError
from keylime_box.ports import Ports
from keylime_box.processes import Processes
from keylime_box.tenant import until

_USER = """
import pathlib, signal, sys
from keylime_box.box import Box
with Box(pathlib.Path(sys.argv[1])) as box:
    box.node("victim")
    print(box.temporary, flush=True)
    signal.pause()
"""
# A process that has a child in another session, and neither heeds SIGTERM.
_STUBBORN = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
open(sys.argv[1] + "/" + str(os.getpid()), "w").close()
signal.pause()
"""


def processes_of(directory: str) -> list[str]:
    """Return the command lines of what runs with this among its settings."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            said = command + (entry / "environ").read_bytes()
        except OSError:
            continue
        if directory.encode() in said:
            found.append(command.decode().replace("\0", " "))
    return found


class TestEnds(unittest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )

    def test_the_user_is_killed(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", _USER, self.directory],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(installation.ROOT)},
        ) as user:
            assert user.stdout is not None
            temporary = user.stdout.readline().strip()
            commands = " ".join(processes_of(temporary))
            for wanted in ("registrar", "verifier", "swtpm", "inside"):
                self.assertIn(wanted, commands)
            user.send_signal(signal.SIGKILL)
            user.wait()
        until(
            lambda: not processes_of(temporary),
            lambda: f"still there: {processes_of(temporary)}",
        )
        until(
            lambda: not pathlib.Path(temporary).exists(),
            lambda: f"still there: {temporary}",
        )

    def test_it_is_closed(self) -> None:
        with Box(self.directory) as box:
            node = box.node("a-node")
            temporary = box.temporary
            self.assertTrue(processes_of(str(temporary)))
            urls = (box.verifier, box.registrar)
        self.assertEqual([], processes_of(str(temporary)))
        self.assertFalse(temporary.exists())
        for server in urls:
            with self.assertRaises(OSError):
                server.rest.ask("GET", "/version")
        with self.assertRaisesRegex(BoxError, "closed"):
            node.die()
        # What was given stays, to be read.
        self.assertTrue((self.directory / "verifier.log").stat().st_size)

    def test_children_that_went_away_end_too(self) -> None:
        processes = Processes([])
        started = processes.start(
            [sys.executable, "-c", _STUBBORN, str(self.directory)],
            env={},
            cwd=self.directory,
            log=self.directory / "log",
        )
        until(lambda: len(self._pids()) == 2, lambda: f"{self._pids()}")
        started.end(grace_s=0.05)
        self.assertEqual(-signal.SIGKILL, started.exit_code())
        self.assertEqual(1, len(self._alive()))
        processes.close()
        self.assertEqual([], self._alive())

    def _pids(self) -> list[int]:
        return [
            int(path.name)
            for path in self.directory.iterdir()
            if path.name.isdigit()
        ]

    def _alive(self) -> list[int]:
        return [
            pid
            for pid in self._pids()
            if pathlib.Path(f"/proc/{pid}").exists()
        ]


class TestPorts(unittest.TestCase):
    def test_a_port_is_ours_and_can_be_listened_on(self) -> None:
        ports = Ports()
        self.addCleanup(ports.close)
        port = ports.reserve_two()
        for held in (port, port + 1):
            with socket.socket() as other, self.assertRaises(OSError):
                other.bind(("127.0.0.1", held))
            # As Keylime does it.
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("127.0.0.1", held))
                server.listen()
                socket.create_connection(("127.0.0.1", held)).close()


class TestCheck(unittest.TestCase):
    def test_it_is_not_installed(self) -> None:
        directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        for part in ("tools", "keylime_box"):
            shutil.copytree(installation.ROOT / part, directory / part)
        listed = directory / "keylime_box" / "debian-packages.txt"
        listed.write_text("# of Debian\nno-such-package\nswtpm\n")
        said = subprocess.run(
            [directory / "tools" / "keylime-box", "check"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(
            (
                1,
                [
                    "Debian packages are missing: no-such-package; install"
                    " them with: tools/keylime-box deps",
                    "The environment .keylime is missing or old; make it"
                    " with: tools/keylime-box env",
                ],
            ),
            (said.returncode, said.stdout.splitlines()),
        )
