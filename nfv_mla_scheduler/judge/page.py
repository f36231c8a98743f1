# SPDX-License-Identifier: Apache-2.0
"""Print the reference page of the refusals, made from their texts.

``python -m nfv_mla_scheduler.judge.page`` writes the page
``doc/source/reference/refusals.rst`` to standard output.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from nfv_mla_scheduler.judge.phrases import SECTIONS
from nfv_mla_scheduler.judge.phrases import Phrase
from nfv_mla_scheduler.judge.phrases import Role
from nfv_mla_scheduler.judge.words import general
from nfv_mla_scheduler.model import RefusalCode

_WIDTH = 79
_HEAD = """\
..
   Generated: python -m nfv_mla_scheduler.judge.page

========
Refusals
========

A host that is not admitted has one or more refusals.  Each has a code of this
page, and the same codes stand in the log, in audit events, in what
``nfv-mla explain`` prints and in the tests.  Where it helps, a refusal also
carries the capability, the requirement, the profile, the authority whose word
decided, and the clause of GR NFV-SEC 009.

A host counts once under every code that it falls to, so that the numbers in
one log line may add up to more than the hosts.  The clause named below is the
one on which the rule rests; a refusal about a claim carries the clause of the
requirement that is not met.  How it comes to each code is said exactly in
:doc:`decisions`; where to look first is in :doc:`../admin/troubleshooting`;
what it was for a certain server and host, ``nfv-mla explain`` tells
(:doc:`../admin/explain`).

"""
_WHO = {
    Role.TENANT: "Tenant",
    Role.OPERATOR: "Operator",
    Role.OFFICER: "Officer",
}


def page() -> str:
    """Return the page, in reStructuredText."""
    parts = [_HEAD]
    for heading, phrases in SECTIONS.items():
        parts.append(f"{heading}\n{'=' * len(heading)}\n\n")
        for code, phrase in phrases.items():
            parts += _entry(code, phrase)
    return "".join(parts).rstrip("\n") + "\n"


def _entry(code: RefusalCode, phrase: Phrase) -> Iterator[str]:
    heading = code.value
    yield f"{heading}\n{'-' * len(heading)}\n\n"
    said = general(code)
    yield _filled(said.says) + "\n\n"
    yield _filled(phrase.more) + "\n\n"
    for remedy in said.remedies:
        text = f"{remedy.text[:1].upper()}{remedy.text[1:]}."
        yield f"{_WHO[remedy.role]}\n{_filled(text, '   ')}\n"
    clauses = "Clauses" if "," in phrase.clause else "Clause"
    yield f"\n{clauses} {phrase.clause}.\n\n"


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        fix_sentence_endings=True,
    )


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
