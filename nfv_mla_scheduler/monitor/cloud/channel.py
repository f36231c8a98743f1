# SPDX-License-Identifier: Apache-2.0
"""Raw JSON requests to one API, bounded in time and size.

By a keystoneauth adapter, which is a proxy of openstacksdk.  The objects that
openstacksdk makes of an answer are not used: to make and read one of a server
takes 2,100 microseconds, which is 3.5 minutes of CPU for 100,000 servers;
``parsing`` takes 11, beside 14 for the JSON (measured on the same core, with
openstacksdk 4.22).  Nothing is sent twice, unless a token has expired: then
it was refused before anything was done.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import cast
from urllib.parse import urlencode

from nfv_mla_scheduler.monitor.cloud import answers
from nfv_mla_scheduler.monitor.port import CloudCode
from nfv_mla_scheduler.monitor.port import CloudFailed

if TYPE_CHECKING:
    import requests
    from keystoneauth1.adapter import Adapter

ANSWER_MAX = 32 * 2**20
CHUNK = 256 * 1024

Version = tuple[int, int]
Json = Mapping[str, Any]


class TooLarge(CloudFailed):
    """An answer is larger than ``ANSWER_MAX``; ask for less at a time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Speaks:
    """One API and what is needed of it.

    :ivar service: type in Keystone's catalogue
    :ivar name: by which people know it
    :ivar oldest: microversion that is needed
    :ivar newest: that is understood
    """

    service: str
    name: str
    oldest: Version
    newest: Version


class Channel:
    """One API of a cloud; may be used by several threads.

    :param adapter: returns the adapter, once Keystone has let us in; raises
        anything
    :param lost: called when what ``adapter`` returned is of no more use
    :param timeout_s: for an answer to begin, and once more for it to end
    """

    def __init__(
        self,
        speaks: Speaks,
        adapter: Callable[[], Adapter],
        lost: Callable[[], None],
        timeout_s: float,
    ) -> None:
        self._speaks = speaks
        self._adapter = adapter
        self._lost = lost
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._version: str = ""

    def get(
        self,
        path: str,
        query: Mapping[str, str | int] | None = None,
        version: str = "",
    ) -> Json:
        """Return the object that a GET answers with.

        :param version: another microversion than the one agreed upon
        """
        target = f"{path}?{urlencode(query)}" if query else path
        status, content = self._send("GET", target, None, version)
        if status != 200:
            raise answers.refused(
                self._what("GET", path), status, content, False
            )
        return self._object(self._what("GET", path), content)

    def send(self, method: str, path: str, body: object = None) -> None:
        """Change something; what is answered besides the status is nothing.

        :raises CloudFailed: ``unsure`` when it may have been done
        """
        status, content = self._send(method, path, body, "")
        if not 200 <= status < 300:
            what = self._what(method, path)
            raise answers.refused(what, status, content, True)

    def version(self) -> str:
        """Return the microversion that both sides speak.

        :raises CloudFailed: ``TOO_OLD``; it is looked at anew each time
        """
        with self._lock:
            if not self._version:
                self._version = self._agree()
            return self._version

    def _forget(self) -> None:
        with self._lock:
            self._version = ""
        self._lost()

    def _agree(self) -> str:
        speaks = self._speaks
        what = f"{speaks.name}: versions"
        try:
            data = self._adapter().get_endpoint_data()
            found = data.max_microversion if data is not None else None
        except CloudFailed:
            raise
        except Exception as exc:
            self._lost()
            raise answers.interrupted(what, exc, False) from exc
        if data is None or (found is None and data.api_version is None):
            self._lost()
            message = f"{what}: it does not answer with any"
            raise CloudFailed(CloudCode.UNAVAILABLE, message)
        theirs = cast(Version, tuple(found) if found else (0, 0))
        if theirs < speaks.oldest:
            self._lost()
            raise CloudFailed(
                CloudCode.TOO_OLD,
                f"{speaks.name} is too old: its API has microversion "
                f"{_text(theirs) if found else 'none'}, and "
                f"{_text(speaks.oldest)} is needed",
            )
        return _text(min(theirs, speaks.newest))

    def _send(
        self, method: str, target: str, body: object, version: str
    ) -> tuple[int, bytes]:
        what = self._what(method, target.partition("?")[0])
        agreed = self.version()
        writes = False
        try:
            adapter = self._adapter()
            writes = method != "GET"
            response = adapter.request(
                target,
                method,
                json=body,
                headers={"Accept": "application/json"},
                microversion=version or agreed,
                raise_exc=False,
                connect_retries=0,
                status_code_retries=0,
                redirect=False,
                log=False,
                stream=True,
            )
            if response.status_code == 406:
                self._forget()  # somebody has put an older one in its place
            try:
                return response.status_code, self._read(what, response)
            finally:
                response.close()
        except CloudFailed as exc:
            exc.unsure = exc.unsure or writes
            raise
        except Exception as exc:
            raise answers.interrupted(what, exc, writes) from exc

    def _read(self, what: str, response: requests.Response) -> bytes:
        """Return the body; however slowly it comes, this comes to an end."""
        deadline = time.monotonic() + self._timeout_s
        raw = response.raw
        # What is there, not all that was asked for: urllib3 2 can.
        read = getattr(raw, "read1", None) or raw.read
        chunks = []
        size = 0
        while chunk := read(CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > ANSWER_MAX:
                message = f"{what}: answers with more than {ANSWER_MAX} bytes"
                raise TooLarge(CloudCode.BAD_ANSWER, message)
            if time.monotonic() > deadline:
                message = f"{what}: its answer does not end in time"
                raise CloudFailed(CloudCode.UNAVAILABLE, message)
        return b"".join(chunks)

    def _object(self, what: str, content: bytes) -> Json:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            message = f"{what}: answers with no JSON object"
            raise CloudFailed(CloudCode.BAD_ANSWER, message)
        return found

    def _what(self, method: str, path: str) -> str:
        return answers.without_ids(f"{self._speaks.name}: {method} {path}")


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
