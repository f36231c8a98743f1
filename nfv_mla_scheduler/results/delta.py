# SPDX-License-Identifier: Apache-2.0
"""What has changed from one results document to the next.

Pure: bytes in, bytes out.  A delta needs no trust: what is rebuilt from it has
to have the digest that the delta names, and then it is the collector's
signature in it that decides, as if the whole document had come.  What it is
applied to must have been verified, so that a stranger decides over no more
than the delta, whose size is bounded.

A document is unfolded into three texts: the envelope without its payload, the
payload, and the body.  Each is cut into pieces at its commas; an edit keeps
some pieces, drops some, and puts text in their place.  Any list of edits that
leads to the new document is right; the encoder looks for a short one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.results import alignment
from nfv_mla_scheduler.results import strict_json

FORMAT = "nfv-mla-results-delta/1"
# What travels, and how RFC 3229 calls the second instead of the first.
DOCUMENT_TYPE = "application/vnd.nfv-mla.results"
DELTA_TYPE = "application/vnd.nfv-mla.results-delta+json"
MANIPULATION = "nfv-mla-entries"
# A delta that is larger than this share of the document that it leads to is
# not worth it.  Nor is one taken that is larger than this share of the
# document that it is from, which was verified, and so bounds what a delta can
# cost; a little is always taken.
WORTH = 0.5
ALWAYS_BYTES = 64 * 1024

# Texts of more pieces are not compared, and not taken apart: that would take
# seconds, and much memory.  Twenty pieces a host for 50,000 hosts.
PIECES_MAX = 1_000_000

_PAYLOAD = b'"payload":"'
_SECTIONS = ("envelope", "payload", "body")
_Edit = tuple[int, int, "str | None"]


def encode(old: bytes, new: bytes) -> bytes | None:
    """Return what leads from one document to the next.

    :returns: None when sending the whole document is no worse, and for bytes
        that are no text in UTF-8
    """
    try:
        before, after = _unfold(old), _unfold(new)
    except UnicodeDecodeError:
        return None
    if any(text.count(",") >= PIECES_MAX for text in (*before, *after)):
        return None
    edits = {
        name: _edits(alignment.changes(one, other))
        for name, one, other in zip(_SECTIONS, before, after, strict=True)
    }
    delta: dict[str, Any] = {
        "format": FORMAT,
        "sha256": hashlib.sha256(new).hexdigest(),
        "length": len(new),
        **edits,
    }
    text = json.dumps(delta, separators=(",", ":"), ensure_ascii=False)
    data = text.encode("utf-8")
    most = min(len(new) * WORTH, bytes_max(old))
    return data if len(data) <= most else None


def bytes_max(old: bytes) -> int:
    """Return how large a delta from ``old`` may be."""
    return max(int(len(old) * WORTH), ALWAYS_BYTES)


def apply(old: bytes, delta: bytes, *, max_bytes: int) -> bytes:
    """Return the document that ``delta`` makes of ``old``.

    :param old: a document that was verified
    :param max_bytes: the largest document that is made
    :raises ResultsRefused: TOO_LARGE, TOO_DEEP or INVALID
    """
    most = bytes_max(old)
    if len(delta) > most:
        raise ResultsRefused(
            ResultsCode.TOO_LARGE, f"the delta has more than {most} bytes"
        )
    found = strict_json.fields(
        strict_json.parse(delta, "delta"),
        "delta",
        ("format", "sha256", "length", *_SECTIONS),
    )
    if found["format"] != FORMAT:
        raise strict_json.invalid(
            "delta.format", f"must be {FORMAT}", found["format"]
        )
    length = found["length"]
    if type(length) is not int or not 0 <= length <= max_bytes:
        raise strict_json.invalid(
            "delta.length", f"must be a count of at most {max_bytes}", length
        )
    try:
        texts = [
            _edited(before, found[name], f"delta.{name}")
            for name, before in zip(_SECTIONS, _unfold(old), strict=True)
        ]
        new = _fold(*texts)
    except UnicodeError:
        raise strict_json.invalid("delta", "is not about text") from None
    digest = hashlib.sha256(new).hexdigest()
    if len(new) != length or digest != found["sha256"]:
        raise strict_json.invalid(
            "delta", "does not lead to the document that it names"
        )
    return new


def _unfold(data: bytes) -> tuple[str, str, str]:
    """Return the three texts of a document, or of any other bytes.

    A payload that :func:`_fold` would not encode in the same way stays where
    it is.

    :raises UnicodeDecodeError: when they are no text
    """
    end = data.find(b"\n") + 1 or len(data)
    envelope, payload, body = data[:end], "", data[end:]
    start = envelope.find(_PAYLOAD) + len(_PAYLOAD)
    stop = envelope.find(b'"', start)
    if stop >= start >= len(_PAYLOAD):
        folded = envelope[start:stop]
        try:
            unfolded = binascii.a2b_base64(folded, strict_mode=True)
            text = unfolded.decode("utf-8")
        except ValueError:
            pass
        else:
            if base64.b64encode(unfolded) == folded:
                envelope, payload = envelope[:start] + envelope[stop:], text
    return envelope.decode("utf-8"), payload, body.decode("utf-8")


def _fold(envelope: str, payload: str, body: str) -> bytes:
    """Put the three texts of a document together."""
    line = envelope.encode("utf-8")
    if payload:
        start = line.find(_PAYLOAD) + len(_PAYLOAD)
        if start < len(_PAYLOAD):
            raise strict_json.invalid("delta.payload", "has no envelope")
        folded = base64.b64encode(payload.encode("utf-8"))
        line = line[:start] + folded + line[start:]
    return line + body.encode("utf-8")


def _edited(text: str, edits: Any, path: str) -> str:
    """Return what ``edits`` make of one text."""
    # before they are cut, as that is what costs
    if text.count(",") >= PIECES_MAX:
        raise ResultsRefused(
            ResultsCode.TOO_LARGE,
            f"{path}: is from a text of more than {PIECES_MAX} pieces",
        )
    if not strict_json.array(edits, path):
        return text
    pieces = text.split(",")
    edited: list[str] = []
    at = 0
    for edit in edits:
        if type(edit) is not list or len(edit) != 3:
            raise strict_json.invalid(path, "must hold arrays of three")
        keep, drop, put = edit
        if type(keep) is not int or type(drop) is not int:
            raise strict_json.invalid(path, "must keep and drop counts")
        if keep < 0 or drop < 0 or at + keep + drop > len(pieces):
            raise strict_json.invalid(path, "is about more than there is")
        edited += pieces[at : at + keep]
        at += keep + drop
        if put is not None:
            if type(put) is not str:
                raise strict_json.invalid(path, "must put text, or null")
            edited.append(put)
    edited += pieces[at:]
    return ",".join(edited)


def _edits(changes: Iterable[alignment.Change]) -> list[_Edit]:
    """Return changes as they travel: counted from the one before."""
    edits: list[_Edit] = []
    at = 0
    for start, stop, put in changes:
        edits.append((start - at, stop - start, put))
        at = stop
    return edits
