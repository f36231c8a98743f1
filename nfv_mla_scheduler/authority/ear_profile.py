# SPDX-License-Identifier: Apache-2.0
"""Whether a token is an EAR, how it is spelt, from whom and for whom it is.

Pure.  The drafts renamed the claims of an EAR; the profile says which names a
token uses, and the two spellings never mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.errors import TokenCode
from nfv_mla_scheduler.errors import TokenRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.results import strict_json
from nfv_mla_scheduler.results.ear_names import PROFILES as PROFILES
from nfv_mla_scheduler.results.ear_names import Spelling as Spelling


def spelling_of(profile: Any) -> Spelling:
    """Return how a token of that profile is spelt.

    :raises TokenRefused: PROFILE
    """
    found = PROFILES.get(profile) if type(profile) is str else None
    if found is None:
        raise TokenRefused(
            TokenCode.PROFILE,
            f"eat_profile {strict_json.shown(profile)!r} is not taken",
        )
    return found


def check_spelling(
    content: Mapping[str, Any], spelling: Spelling, where: str
) -> None:
    """Refuse claims of the other spelling.

    :raises TokenRefused: PROFILE
    """
    for name in content:
        if name.startswith(spelling.foreign):
            raise TokenRefused(
                TokenCode.PROFILE,
                f"{bounded(where)}: {bounded(name)!r} is not spelt as its "
                "profile has it",
            )


def check_verifier(content: Mapping[str, Any], spelling: Spelling) -> None:
    """Refuse a token that does not say which verifier appraised.

    :raises TokenRefused: NO_VERIFIER
    """
    found = content.get(spelling.verifier)
    if type(found) is dict and all(
        strict_json.is_name(found.get(key)) for key in ("developer", "build")
    ):
        return
    raise TokenRefused(
        TokenCode.NO_VERIFIER,
        f"{spelling.verifier} must name developer and build of the verifier",
    )


def check_issuer(content: Mapping[str, Any], issuer: str | None) -> None:
    """Refuse a token of another issuer than the one that is asked for.

    :raises TokenRefused: WRONG_ISSUER
    """
    found = content.get("iss", "nobody")
    if issuer is not None and found != issuer:
        raise TokenRefused(
            TokenCode.WRONG_ISSUER,
            f"issued by {strict_json.shown(found)!r}, and not by "
            f"{bounded(issuer)!r}",
        )


def check_audience(content: Mapping[str, Any], audience: str | None) -> None:
    """Refuse a token that is meant for others (RFC 7519, section 4.1.3).

    :param audience: by what name it may be meant for us
    :raises TokenRefused: WRONG_AUDIENCE
    """
    if "aud" not in content and audience is None:
        return
    found = content.get("aud", [])
    meant = found if type(found) is list else [found]
    if audience is None or audience not in meant:
        raise TokenRefused(
            TokenCode.WRONG_AUDIENCE,
            "is meant for others (aud)"
            if audience is None
            else f"is not meant for {bounded(audience)!r} (aud)",
        )
