# SPDX-License-Identifier: Apache-2.0
"""Print the reference page of the flavor keys, made from KEYS.

``python -m nfv_mla_scheduler.policy.page_keys`` writes the page
``doc/source/reference/keys.rst`` to standard output.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from collections.abc import Mapping

from nfv_mla_scheduler.policy.keys import ITEMS_MAX
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import SECONDS_MAX
from nfv_mla_scheduler.policy.keys import VALUE_LENGTH_MAX
from nfv_mla_scheduler.policy.keys import Key
from nfv_mla_scheduler.policy.keys import Syntax

_WIDTH = 79
_HEAD = f"""\
..
   Generated: python -m nfv_mla_scheduler.policy.page_keys

=========================
What a server can ask for
=========================

A server asks by the extra specs of its flavor, and partly by scheduler hints
of the request.  A project's *floor* in the policy asks for all servers of the
project; it writes the same keys without ``{PREFIX}``.  Clauses are those of
GR NFV-SEC 009 V1.3.1.

How values are read
===================

* Several values are separated by commas; blanks around them do not count.
  There are at most {VALUE_LENGTH_MAX} characters and {ITEMS_MAX} values.
  A hint may be given more than once, which means the same as commas.
* A value that cannot be read, a key that does not exist and a name that the
  policy does not know make the request *malformed*: no host is right for it,
  and its owner is told which key and value are at fault.
* Nova checks a flavor's values when they are set only if the request speaks
  microversion 2.86 or later.  The filter judges them in any case.
* A typo in ``{PREFIX}`` itself is nobody's key: Nova takes it, and nothing is
  asked for.
* Flavor, hints and floor are met one by one, so that each can only narrow
  what the others leave (:doc:`decisions`).
* Extra specs are frozen into the server when it is created.  A changed flavor
  changes no server that is there.

Keys
====

"""
_SYNTAX: Mapping[Syntax, str] = {
    Syntax.NAMES: "names: lower-case letters and digits, parts joined by "
    "single hyphens",
    Syntax.CHOICES: "any number of the choices below",
    Syntax.CHOICE: "one of the choices below",
    Syntax.REGIONS: "regions of the policy, each with or without a leading !",
    Syntax.CAPABILITY: "``required``, or values of the capability "
    "(:doc:`standard`); a capability without values knows ``required`` alone",
    Syntax.SECONDS: f"a whole number of seconds, from 1 to {SECONDS_MAX}",
    Syntax.FOLLOW: "profiles, each with or without an axis behind ``@``: "
    "``jurisdiction`` (the default), ``geographic``, ``logical``, ``pool``, "
    "``host``",
}
_SEVERAL = {
    "any": "any of them will do",
    "all": "all of them count",
    "one": "takes one value only",
}
# What the table does not say, by the name of the key.
_NOTES = {
    "copy": "It does not bear on placement, and nothing prevents a copy: the "
    "monitor reports those that it forbids.",
    "max_age": "Of several authorities that the same source names, the "
    "slowest counts; of none, the fastest that the policy has.",
}


def page() -> str:
    """Return the page, in reStructuredText."""
    parts = [_HEAD, *(part for key in KEYS for part in _entry(key))]
    return "".join(parts).rstrip("\n") + "\n"


def _entry(key: Key) -> Iterator[str]:
    """Yield what there is to say of one key."""
    heading = f"``{PREFIX}{key.name}``"
    yield f"{heading}\n{'-' * len(heading)}\n\n"
    text = " ".join(filter(None, (key.help, _NOTES.get(key.name))))
    yield textwrap.fill(text, _WIDTH, break_on_hyphens=False) + "\n\n"
    yield _field("Value", _SYNTAX[key.syntax])
    yield _field("Several", _SEVERAL[key.several])
    if key.choices:
        choices = ", ".join(f"``{choice}``" for choice in key.choices)
        yield _field("Choices", choices)
    yield _field("Hint", "yes" if key.hint else "no: flavor and floor only")
    yield _field("Clause", key.clause)
    yield _field("Example", f"``{_example(key)}``")
    yield "\n"


def _example(key: Key) -> str:
    name = key.name.replace("{capability}", "hsm")
    return f"{PREFIX}{name}={key.example}"


def _field(name: str, text: str) -> str:
    return (
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=f":{name}: ",
            subsequent_indent="   ",
            break_on_hyphens=False,
        )
        + "\n"
    )


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
