# SPDX-License-Identifier: Apache-2.0
"""What a server may do wrong, and what a client has to make of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from collections.abc import Iterator

from nfv_mla_scheduler.errors import ContactCode
from tests.authorities.servers import Asked
from tests.authorities.servers import End
from tests.authorities.servers import Script
from tests.authorities.servers import Step
from tests.authorities.servers import drip
from tests.authorities.servers import head
from tests.authorities.servers import page

EVERY_S = 0.02
CHUNKED = {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}
UNTIL_THE_END = {"Content_Type": "application/json"}


def _for_ever(start: bytes, again: bytes) -> Iterator[Step]:
    return itertools.chain([start], itertools.repeat(again))


# what goes wrong -> what is sent, and what it is to be called
ILL_BEHAVED: dict[str, tuple[Callable[[], Script], ContactCode]] = {
    "500": (lambda: [page(status=500)], ContactCode.BAD_STATUS),
    "503 in HTML": (
        lambda: [page(b"<h1>", "text/html", 503)],
        ContactCode.BAD_STATUS,
    ),
    "204": (lambda: [head(204)], ContactCode.BAD_STATUS),
    "101": (lambda: [head(101)], ContactCode.BAD_STATUS),
    "401": (lambda: [page(status=401)], ContactCode.FORBIDDEN),
    "403": (lambda: [page(status=403)], ContactCode.FORBIDDEN),
    "a redirect": (
        lambda: [page(status=302, Location="https://elsewhere/x?secret")],
        ContactCode.REDIRECTED,
    ),
    "a redirect to nowhere": (
        lambda: [page(status=307)],
        ContactCode.REDIRECTED,
    ),
    "another content type": (
        lambda: [page(b"<h1>hello</h1>", "text/html; charset=utf-8")],
        ContactCode.BAD_CONTENT_TYPE,
    ),
    "no content type": (
        lambda: [head(Content_Length=2) + b"{}"],
        ContactCode.BAD_CONTENT_TYPE,
    ),
    "two content types": (
        lambda: [
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}"
        ],
        ContactCode.BAD_CONTENT_TYPE,
    ),
    "a content coding": (
        lambda: [page(b"\x1f\x8b", Content_Encoding="gzip")],
        ContactCode.BAD_CONTENT_TYPE,
    ),
    "a transfer coding": (
        lambda: [head(**{**CHUNKED, "Transfer_Encoding": "gzip, chunked"})],
        ContactCode.BAD_ANSWER,
    ),
    "no answer": (lambda: [End.PROPER], ContactCode.INTERRUPTED),
    "no answer, reset": (lambda: [End.RESET], ContactCode.INTERRUPTED),
    "half a status line": (
        lambda: [b"HTTP/1.1 200", End.PROPER],
        ContactCode.INTERRUPTED,
    ),
    "headers that break off": (
        lambda: [
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
            End.PROPER,
        ],
        ContactCode.INTERRUPTED,
    ),
    "half the headers": (
        lambda: [b"HTTP/1.1 200 OK\r\nContent-Le", End.RAGGED],
        ContactCode.INTERRUPTED,
    ),
    "half a body": (
        lambda: [head(**UNTIL_THE_END, Content_Length=99) + b"{", End.PROPER],
        ContactCode.INTERRUPTED,
    ),
    "half a body, reset": (
        lambda: [head(**UNTIL_THE_END, Content_Length=99) + b"{", End.RESET],
        ContactCode.INTERRUPTED,
    ),
    "half a chunk": (
        lambda: [head(**CHUNKED) + b"63\r\n{", End.PROPER],
        ContactCode.INTERRUPTED,
    ),
    "no last chunk": (
        lambda: [head(**CHUNKED) + b"2\r\n{}\r\n", End.PROPER],
        ContactCode.INTERRUPTED,
    ),
    "no length and a ragged end": (
        lambda: [head(**UNTIL_THE_END) + b"{", End.RAGGED],
        ContactCode.INTERRUPTED,
    ),
    "something else than HTTP": (
        lambda: [b"SSH-2.0-OpenSSH_9.6\r\n", End.PROPER],
        ContactCode.BAD_ANSWER,
    ),
    "headers without colons": (
        lambda: [b"HTTP/1.1 200 OK\r\nwhat is this\r\na: b\r\n\r\n{}"],
        ContactCode.BAD_ANSWER,
    ),
    "a header that is not printable": (
        lambda: [page(b"{}", Server="a\x1b[31mb")],
        ContactCode.BAD_ANSWER,
    ),
    **{
        f"Content-Length {length!r}": (
            lambda length=length: [
                head(**UNTIL_THE_END, Content_Length=length) + b"{}"
            ],
            ContactCode.BAD_ANSWER,
        )
        for length in ("-5", "+2", "two", "2, 3", "0x2", "1_0", "9" * 30)
    },
    "chunks of a size that is none": (
        lambda: [head(**CHUNKED) + b"zz\r\n{}\r\n0\r\n\r\n"],
        ContactCode.INTERRUPTED,
    ),
    "a chunk of size -1": (
        lambda: _for_ever(head(**CHUNKED) + b"-1\r\n", b" " * 65536),
        ContactCode.TOO_LARGE,
    ),
    "a length that is too long": (
        lambda: [head(**UNTIL_THE_END, Content_Length=10**12)],
        ContactCode.TOO_LARGE,
    ),
    "a body without end": (
        lambda: _for_ever(head(**UNTIL_THE_END), b" " * 65536),
        ContactCode.TOO_LARGE,
    ),
    "chunks without end": (
        lambda: _for_ever(
            head(**CHUNKED), b"1000\r\n" + b" " * 4096 + b"\r\n"
        ),
        ContactCode.TOO_LARGE,
    ),
    "chunks in thick wrapping": (
        lambda: _for_ever(
            head(**CHUNKED), b"1;" + b"x" * 30_000 + b"\r\n \r\n"
        ),
        ContactCode.TOO_LARGE,
    ),
    "a chunk size without end": (
        lambda: _for_ever(head(**CHUNKED), b"0" * 4096),
        ContactCode.TOO_LARGE,
    ),
    "trailers without end": (
        lambda: _for_ever(
            head(**CHUNKED) + b"2\r\n{}\r\n0\r\n", b"a: b\r\n" * 999
        ),
        ContactCode.TOO_LARGE,
    ),
    "headers without end": (
        lambda: _for_ever(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 99),
        ContactCode.TOO_LARGE,
    ),
    "a header without end": (
        lambda: _for_ever(b"HTTP/1.1 200 OK\r\na: ", b"b" * 4096),
        ContactCode.TOO_LARGE,
    ),
    "100 Continue without end": (
        lambda: _for_ever(b"", head(100, a="b" * 999)),
        ContactCode.TOO_LARGE,
    ),
    "silence": (lambda: [99.0], ContactCode.TIMED_OUT),
    "slow headers": (
        lambda: drip(head(a="b" * 999), EVERY_S),
        ContactCode.TIMED_OUT,
    ),
    "a slow body": (
        lambda: itertools.chain(
            [head(**UNTIL_THE_END, Content_Length=999)], drip(b"{", EVERY_S)
        ),
        ContactCode.TIMED_OUT,
    ),
    "slow chunks": (
        lambda: itertools.chain(
            [head(**CHUNKED)],
            itertools.cycle([b"1\r\n \r\n", EVERY_S]),
        ),
        ContactCode.TIMED_OUT,
    ),
    "a slow body of unknown length": (
        lambda: itertools.chain([head(**UNTIL_THE_END)], drip(b"{", EVERY_S)),
        ContactCode.TIMED_OUT,
    ),
}


def answer(
    name: str, content_type: str = "application/json"
) -> Callable[[Asked], Script]:
    """Return what a server does that misbehaves in this way.

    :param content_type: of its answers when it behaves
    """
    script, _ = ILL_BEHAVED[name]
    json, other = b"application/json", content_type.encode()

    def play(_asked: Asked) -> Script:
        for step in script():
            if isinstance(step, bytes):
                yield step.replace(json, other)
            else:
                yield step

    return play
