# SPDX-License-Identifier: Apache-2.0
"""What the contract needs of each driver: its authority, on a stage.

A stage starts the authority, has it say things, and makes it misbehave.
"""

from __future__ import annotations

import abc
import enum
import json
import pathlib
import tempfile
import time
import unittest
import urllib.parse
from collections.abc import Iterable
from typing import Any
from typing import ClassVar

from oslo_config import cfg

from nfv_mla_scheduler.authority.ear import EarAuthority
from nfv_mla_scheduler.authority.template import Authority
from nfv_mla_scheduler.authority.template import Setting
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.standard.catalogue import load
from tests.authorities import ill_behaved
from tests.authorities.certificates import make_ca
from tests.authorities.fake import FakeAuthority
from tests.authorities.fake import claims_of
from tests.authorities.servers import Asked
from tests.authorities.servers import Script
from tests.authorities.servers import Server
from tests.authorities.servers import page
from tests.authorities.servers import server_context
from tests.authorities.tokens import CAPABILITIES
from tests.authorities.tokens import Signer
from tests.authorities.tokens import jwk_set

NAME = "authority-a"
# Of drivers, where it must not be met, and where it has to be.
TIMEOUT_S = 10.0
SHORT_S = 0.4


class Trouble(enum.Enum):
    """How an authority misbehaves as a whole, and what it is called."""

    DOWN = ContactCode.UNREACHABLE, "down"
    SILENT = ContactCode.TIMED_OUT, "silent"
    SLOW = ContactCode.TIMED_OUT, "slow"
    ENDLESS = ContactCode.TOO_LARGE, "endless"
    TRUNCATED = ContactCode.INTERRUPTED, "truncated"
    REDIRECTS = ContactCode.REDIRECTED, "redirects"
    ERROR = ContactCode.BAD_STATUS, "error"
    FORBIDS = ContactCode.FORBIDDEN, "forbids"
    OTHER_TYPE = ContactCode.BAD_CONTENT_TYPE, "other type"
    OTHER_CA = ContactCode.TLS, "other CA"
    OTHER_NAME = ContactCode.TLS, "other name"
    OTHER_CLIENTS = ContactCode.TLS, "other clients"

    @property
    def code(self) -> str:
        return self.value[0].value


class Stage(abc.ABC):
    """An authority with whatever it takes to run it."""

    # of one that never answers: when a driver with the option
    # ``timeout_s = SHORT_S`` has to have given up
    gives_up_s: ClassVar[float] = 5.0
    # whether the authority tells one boot from another
    TELLS_BOOTS: ClassVar[bool] = True
    # how the names of the authority's own threads begin
    THREADS: ClassVar[tuple[str, ...]] = ("test server",)

    @abc.abstractmethod
    def driver(self, **options: Any) -> Authority:
        """Return a new driver for it.

        :param options: other than those of the stage
        """

    @abc.abstractmethod
    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        """Have it say from now on that all these are affirmed.

        Said again, it is said anew: of this moment, or of ``ahead_s`` later.
        """

    @abc.abstractmethod
    def forget(self, attester: str) -> None:
        """Have it say nothing of an attester."""

    @abc.abstractmethod
    def spoil(self, attester: str) -> None:
        """Have it say of an attester what cannot be taken."""

    @abc.abstractmethod
    def start(self, trouble: Trouble) -> None:
        """Have it misbehave."""

    @abc.abstractmethod
    def recover(self) -> None:
        """Have it behave again."""


class FakeStage(Stage):
    """The fake, whose troubles are those that a driver would report."""

    def __init__(self, _test: unittest.TestCase) -> None:
        self._fake = FakeAuthority.named(NAME)
        self._trouble: Trouble | None = None

    def driver(self, **options: Any) -> Authority:
        return _Troubled(self)

    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        at = float(int(time.time() + ahead_s))
        self._fake.hold(attester, at, claims_of(capabilities), f"{boot}")

    def forget(self, attester: str) -> None:
        self._fake.forget(attester)

    def spoil(self, attester: str) -> None:
        self._fake.spoil(attester)

    def start(self, trouble: Trouble) -> None:
        self._trouble = trouble

    def recover(self) -> None:
        self._trouble = None


class _Troubled(FakeAuthority):
    """A driver of its own for what the stage's fake holds."""

    def __init__(self, stage: FakeStage) -> None:
        super().__init__(Setting(NAME, {}, load()))
        self._stage = stage

    def _collect(self, inquiry: Any, now: float) -> Any:
        trouble = self._stage._trouble
        if trouble is not None:
            if trouble.value[0] is ContactCode.TIMED_OUT:
                self.script(SHORT_S)
            self.script(ContactFailed(trouble.value[0], trouble.value[1]))
        else:
            fake = self._stage._fake
            self.script(
                lambda asked: fake.all(
                    asked.attesters if asked.targeted else None
                )
            )
        return super()._collect(inquiry, now)


class HttpsStage(Stage):
    """An authority over HTTPS, asked with a client certificate."""

    DRIVER: ClassVar[type[Authority]]
    content_type = "application/json"
    # headers that each good answer has besides
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, test: unittest.TestCase) -> None:
        place = tempfile.TemporaryDirectory()
        test.addCleanup(place.cleanup)
        self.directory = pathlib.Path(place.name)
        ca = make_ca()
        self.ca_file = ca.write(self.directory)
        self._issued = ca.issue_server(self.directory, "127.0.0.1")
        self.client = ca.issue_client(self.directory)
        self._another = make_ca("another")
        self._other_ca = self._another.issue_server(
            self.directory, "127.0.0.1", file="other-ca"
        )
        self._other_name = ca.issue_server(
            self.directory, "127.0.0.9", file="other-name"
        )
        self._context = server_context(self._issued, self.ca_file)
        self.server = Server(self.answer, self._issued, self.ca_file)
        self._test = test
        test.addCleanup(lambda: self.server.stop())

    @abc.abstractmethod
    def answer(self, asked: Asked) -> Script:
        """Answer as it should."""

    @abc.abstractmethod
    def options(self) -> dict[str, Any]:
        """Return the options of the driver that are not of all drivers."""

    def unfit_options(self, missing: str) -> list[tuple[Any, str]]:
        """Return options, and how the error begins that each has to give.

        :param missing: path of a file that is not there
        """
        return [
            ({"url": ""}, "url: must be set"),
            ({"url": "http://127.0.0.1/"}, "url: must be https"),
            ({"url": "https://u:p@127.0.0.1/"}, "url: may hold no user"),
            ({"cert_file": missing}, f"cert_file with its key: {missing}"),
            ({"cert_file": ""}, "key_file: is set"),
        ]

    def driver(self, **options: Any) -> Authority:
        given = {
            "ca_file": str(self.ca_file),
            "cert_file": str(self.client.cert_file),
            "key_file": str(self.client.key_file),
            "timeout_s": TIMEOUT_S,
            "max_bytes": 100_000,
            **self.options(),
            **options,
        }
        driver = driver_of(self.DRIVER, **given)
        self._test.addCleanup(driver.close)
        return driver

    def start(self, trouble: Trouble) -> None:
        if trouble is Trouble.DOWN:
            self.server.stop()
        elif trouble in _ANSWERS:
            self.server.answer = ill_behaved.answer(
                _ANSWERS[trouble], self.content_type
            )
        else:
            strangers = self._another.write(self.directory, "strangers.pem")
            self.server.context = {
                Trouble.OTHER_CA: lambda: server_context(self._other_ca),
                Trouble.OTHER_NAME: lambda: server_context(self._other_name),
                Trouble.OTHER_CLIENTS: lambda: server_context(
                    self._issued, strangers
                ),
            }[trouble]()
            self.server.hang_up()

    def recover(self) -> None:
        port = self.server.port
        self.server.stop()
        self.server = Server(
            self.answer, self._issued, self.ca_file, port=port
        )


_ANSWERS = {
    Trouble.SILENT: "silence",
    Trouble.SLOW: "slow headers",
    Trouble.ENDLESS: "chunks without end",
    Trouble.TRUNCATED: "half a body",
    Trouble.REDIRECTS: "a redirect",
    Trouble.ERROR: "500",
    Trouble.FORBIDS: "403",
    Trouble.OTHER_TYPE: "another content type",
}


class EarStage(HttpsStage):
    """Tokens, all at once."""

    DRIVER = EarAuthority

    def __init__(self, test: unittest.TestCase) -> None:
        self.signer = Signer()
        self.tokens: dict[str, str] = {}
        super().__init__(test)
        self.keys_file = self.directory / "keys.json"
        self.keys_file.write_bytes(jwk_set(self.signer))

    def options(self) -> dict[str, Any]:
        return {
            "url": f"{self.server.url}/results",
            "keys_file": str(self.keys_file),
        }

    def answer(self, asked: Asked) -> Script:
        tokens = list(self.tokens.values())
        body = json.dumps({"results": tokens}).encode()
        return [page(body, self.content_type, **self.headers)]

    def say(
        self,
        attester: str,
        capabilities: Iterable[str] = CAPABILITIES,
        boot: int = 1,
        ahead_s: float = 0.0,
    ) -> None:
        at = time.time() + ahead_s
        self.tokens[attester] = self.signer.token(
            attester, at, capabilities, boot
        )

    def forget(self, attester: str) -> None:
        self.tokens.pop(attester, None)

    def spoil(self, attester: str) -> None:
        stranger = Signer(self.signer.kid)
        self.tokens[attester] = stranger.token(attester, time.time())


class EarEachStage(EarStage):
    """Tokens, one by one."""

    content_type = "application/eat+jwt"

    def options(self) -> dict[str, Any]:
        url = f"{self.server.url}/results/{{attester}}"
        return {**super().options(), "url": url, "connections": 2}

    def answer(self, asked: Asked) -> Script:
        name = urllib.parse.unquote(asked.path.removeprefix("/results/"))
        token = self.tokens.get(name)
        if token is None:
            return [page(status=404, **self.headers)]
        return [page(token.encode(), self.content_type, **self.headers)]


def driver_of(
    driver: type[Authority], name: str = NAME, **options: Any
) -> Authority:
    """Return a driver with these options, and defaults for the others."""
    conf = cfg.ConfigOpts()
    group = f"nfv_mla_authority_{name}"
    conf.register_opts(list(driver.OPTIONS), group=group)
    for option, value in options.items():
        conf.set_override(option, value, group=group)
    conf([], default_config_files=[], default_config_dirs=[])
    values = {o.dest: conf[group][o.dest] for o in driver.OPTIONS}
    return driver(Setting(name, values, load()))
