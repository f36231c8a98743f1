# SPDX-License-Identifier: Apache-2.0
"""The break-glass waiver: one officer lets one thing through, for hours.

Pure.  It is signed like a policy, by one officer of the same root, and says
which root it is meant for, so that it opens nothing elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NoReturn

from nfv_mla_scheduler.errors import DocumentError
from nfv_mla_scheduler.errors import PolicyCode
from nfv_mla_scheduler.errors import PolicyRefused
from nfv_mla_scheduler.errors import Problem
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.acceptance import AHEAD_MAX_S
from nfv_mla_scheduler.policy.envelope import Envelope
from nfv_mla_scheduler.policy.envelope import verify_envelope
from nfv_mla_scheduler.policy.instants import read_instant
from nfv_mla_scheduler.policy.instants import write_instant
from nfv_mla_scheduler.policy.root import Root
from nfv_mla_scheduler.policy.values import BreakGlass
from nfv_mla_scheduler.policy.values import BreakGlassTarget
from nfv_mla_scheduler.standard.strict_yaml import read_yaml

BREAK_GLASS_TYPE = "application/vnd.nfv-mla.break-glass+yaml"
FORMAT = "nfv-mla-break-glass/1"
LIFE_MAX_S = 24 * 3600
PAYLOAD_MAX = 16 * 1024

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,255}"
_FORMS = {
    "format": re.escape(FORMAT),
    "root": "[0-9a-f]{64}",
    "reason": _LINE,
    "since": "[0-9TZ:-]{10,20}",
    "until": "[0-9TZ:-]{10,20}",
}
TARGETS = {
    BreakGlassTarget.SERVER: _UUID,
    BreakGlassTarget.HOST: "[A-Za-z0-9._-]{1,255}",
    BreakGlassTarget.PROJECT: f"[0-9a-f]{{32}}|{_UUID}",
}


def read_break_glass(data: bytes, root: Root, now: Instant) -> BreakGlass:
    """Return the waiver in an envelope, if it is in force now.

    :raises PolicyRefused: and nothing else, whatever the bytes are
    """
    one_officer = Root(root.keys, 1)
    verified = verify_envelope(data, one_officer, BREAK_GLASS_TYPE)
    try:
        document = read_yaml(verified.payload, max_bytes=PAYLOAD_MAX)
    except DocumentError as exc:
        raise _invalid(exc.problems) from None
    waiver = _waiver(document.value, root, verified.signers[0])
    if waiver.since > now + AHEAD_MAX_S:
        _refuse(PolicyCode.NOT_YET, "has not begun")
    if now >= waiver.until:
        ended = write_instant(waiver.until)
        _refuse(PolicyCode.EXPIRED, f"ended at {ended}")
    return waiver


def break_glass_envelope(
    root: Root,
    target: BreakGlassTarget,
    name: str,
    reason: str,
    since: Instant,
    hours: int,
) -> Envelope:
    """Return an unsigned waiver for ``hours`` from ``since``.

    :raises PolicyRefused: with INVALID, when it would be refused if signed
    """
    members = {
        "format": FORMAT,
        "root": root.digest,
        target.value: name,
        "reason": reason,
        "since": write_instant(since),
        "until": write_instant(since + hours * 3600),
    }
    _waiver(members, root, "")
    lines = [f"{key}: {_quoted(text)}" for key, text in members.items()]
    return Envelope("\n".join((*lines, "")).encode(), BREAK_GLASS_TYPE)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _waiver(value: object, root: Root, officer: str) -> BreakGlass:
    """Return the waiver that a document holds, whatever its time is.

    :raises PolicyRefused: with INVALID, or BAD_ROOT if it is not for ours
    """
    members = value if isinstance(value, dict) else {}
    problems = (*_problems(members), *_time_problems(members))
    if problems:
        raise _invalid(problems)
    if members["root"] != root.digest:
        _refuse(
            PolicyCode.BAD_ROOT,
            "is meant for another root of trust than the configured one",
        )
    since, until = _instant(members, "since"), _instant(members, "until")
    assert since is not None and until is not None
    (target,) = _targets(members)
    name, reason = members[target.value], members["reason"]
    return BreakGlass(target, name, reason, officer, since, until)


def _targets(members: Mapping[str, Any]) -> list[BreakGlassTarget]:
    return [target for target in BreakGlassTarget if target.value in members]


def _problems(members: Mapping[str, Any]) -> Iterator[Problem]:
    targets = _targets(members)
    if len(targets) != 1:
        message = "has to name exactly one server, host or project"
        yield Problem("document", message)
    forms = {**_FORMS, **{t.value: TARGETS[t] for t in targets}}
    for key in members:
        if key not in forms:
            yield Problem(bounded(key), "is no key of a break-glass waiver")
    for key, form in forms.items():
        text = members.get(key)
        if not isinstance(text, str) or not re.fullmatch(form, text):
            message = "is missing, or not of the right form"
            yield Problem(key, message, bounded(text or ""))


def _time_problems(members: Mapping[str, Any]) -> Iterator[Problem]:
    since, until = _instant(members, "since"), _instant(members, "until")
    if since is None or until is None or not since < until:
        yield Problem("until", "has to be a time in UTC after 'since'")
    elif until - since > LIFE_MAX_S:
        yield Problem("until", "is more than 24 hours after 'since'")


def _instant(members: Mapping[str, Any], key: str) -> Instant | None:
    return read_instant(str(members.get(key, "")))


def _invalid(problems: tuple[Problem, ...]) -> PolicyRefused:
    return PolicyRefused(
        PolicyCode.INVALID,
        f"the break-glass waiver is not sound: {problems[0]}",
        problems,
    )


def _refuse(code: PolicyCode, message: str) -> NoReturn:
    raise PolicyRefused(code, f"the break-glass waiver {message}")
