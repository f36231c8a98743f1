# SPDX-License-Identifier: Apache-2.0
"""What has changed from one results document to the next.

Pure: bytes in, bytes out.  A delta needs no trust: what is rebuilt from it has
to have the digest that the delta names, and then it is the collector's
signature in it that decides, as if the whole document had come.

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
# A delta that is larger than this share of the document is not worth it.
WORTH = 0.5

_PAYLOAD = b'"payload":"'
_SECTIONS = ("envelope", "payload", "body")
_Edit = tuple[int, int, "str | None"]


def encode(old: bytes, new: bytes) -> bytes | None:
    """Return what leads from one document to the next.

    :returns: None when sending the whole document is no worse, and for bytes
        that are no text in UTF-8
    """
    try:
        sections = zip(_SECTIONS, _unfold(old), _unfold(new), strict=True)
        edits = {
            name: _edits(alignment.changes(before, after))
            for name, before, after in sections
        }
    except UnicodeDecodeError:
        return None
    delta: dict[str, Any] = {
        "format": FORMAT,
        "sha256": hashlib.sha256(new).hexdigest(),
        "length": len(new),
        **edits,
    }
    text = json.dumps(delta, separators=(",", ":"), ensure_ascii=False)
    data = text.encode("utf-8")
    return data if len(data) <= len(new) * WORTH else None


def apply(old: bytes, delta: bytes, *, max_bytes: int) -> bytes:
    """Return the document that ``delta`` makes of ``old``.

    :param max_bytes: the largest delta and document that are looked at
    :raises ResultsRefused: TOO_LARGE, TOO_DEEP or INVALID
    """
    if len(delta) > max_bytes:
        raise ResultsRefused(
            ResultsCode.TOO_LARGE, f"the delta has more than {max_bytes} bytes"
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
    pieces = text.split(",")
    edited: list[str] = []
    at = 0
    for edit in strict_json.array(edits, path):
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
