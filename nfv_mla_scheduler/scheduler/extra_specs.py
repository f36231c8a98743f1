# SPDX-License-Identifier: Apache-2.0
"""Validators of our flavor extra specs, which nova-api loads.

Imports only the standard library, nova, and what of ours needs nothing else.
Nova validates flavors from microversion 2.86 on; the filter therefore judges
malformed values itself.  Names that only the policy knows are not checked
here: the API server has no policy.
"""

from __future__ import annotations

import logging
import re

from nova import exception
from nova.api.validation.extra_specs import base

from nfv_mla_scheduler.errors import Malformed
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.model import NAME_PATTERN
from nfv_mla_scheduler.policy.keys import KEYS
from nfv_mla_scheduler.policy.keys import PREFIX
from nfv_mla_scheduler.policy.keys import Key
from nfv_mla_scheduler.policy.keys import value_pattern

LOG = logging.getLogger(__name__)

MESSAGE_MAX = 255


class KeyValidator(base.ExtraSpecValidator):  # type: ignore[misc]
    """A validator made from a key; says what a right value looks like.

    Nova replaces the placeholder of a name and leaves the rest as a regular
    expression, in which a dot would match anything.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        name = re.escape(self.name)
        for parameter in self.parameters:
            holder = re.escape(f"{{{parameter['name']}}}")
            group = f"(?P<{parameter['name']}>{parameter['pattern']})"
            name = name.replace(holder, group)
        self.name_regex = name

    def validate(self, name: str, value: str) -> None:
        """Refuse a value that the filter would call malformed.

        :raises nova.exception.ValidationError: naming key and value
        """
        try:
            super().validate(name, value)
        except exception.ValidationError:
            raise exception.ValidationError(
                bounded(
                    f"{bounded(name)}: is not of the right form "
                    f"({bounded(value)!r}). {self.description}",
                    MESSAGE_MAX,
                )
            ) from None
        fault = _fault(name, value)
        if fault:
            raise exception.ValidationError(fault)


def _fault(name: str, value: str) -> str:
    """Return what the filter's own parser has against a value, if anything.

    If the parser cannot be loaded, the patterns have to do; the filter will
    refuse what they let through.
    """
    try:
        from nfv_mla_scheduler.policy.asking import read_ask
        from nfv_mla_scheduler.policy.values import Source
        from nfv_mla_scheduler.standard import catalogue

        read_ask(Source.FLAVOR, {name: value}, catalogue.load())
    except Malformed as malformed:
        return str(malformed)
    except Exception:
        LOG.debug("nfv-mla cannot read extra specs", exc_info=True)
    return ""


def register() -> list[base.ExtraSpecValidator]:
    """Return a validator for each key, as Nova's loader wants them.

    An exception would stop nova-api: rather no validators, since the filter
    judges every value itself.
    """
    try:
        return [_validator(key) for key in KEYS]
    except Exception:
        LOG.exception("nfv-mla cannot make validators of extra specs")
        return []


def _validator(key: Key) -> KeyValidator:
    parameters = [
        {"name": parameter, "pattern": NAME_PATTERN}
        for parameter in re.findall(r"{(\w+)}", key.name)
    ]
    return KeyValidator(
        name=PREFIX + key.name,
        description=f"For example: {key.example}. {key.help} "
        f"(GR NFV-SEC 009, {key.clause})",
        value={"type": str, "pattern": value_pattern(key)},
        parameters=parameters,
    )
