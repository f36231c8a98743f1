# SPDX-License-Identifier: Apache-2.0
"""Which measured-boot policies may be bound, as far as a verifier tells.

Talks over the API that it is given.  A record says that some policy is bound
and not which; one without content, such as ``{}``, is bound and looks at
nothing.  What was enrolled with a policy and no name has one that is named as
the agent is, and what was enrolled with a name has not.  So that names alone
tell who may be bound to a policy that does not count.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from nfv_mla_scheduler.authority.keylime.api import Api
from nfv_mla_scheduler.authority.keylime.api import quoted
from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.results import strict_json

_NAMES = "mbpolicy names"
_CONTENT = "mb_policy"


def uncounted(
    api: Api,
    agents: Collection[str],
    counting: frozenset[str],
    deadline_s: Callable[[], float],
) -> Mapping[str, str]:
    """Return why the measured-boot policy of agents counts for nothing.

    One call, and one for each policy that counts.

    :param agents: all that the verifier has
    :param counting: names of the policies that count; none: all do
    :returns: agent -> why; of whom nothing is in it, that counts
    :raises ContactFailed:
    """
    if not counting:
        return {}
    names = _names(api, deadline_s)
    why = _against_all(api, names, agents, counting, deadline_s)
    if names is None or why:
        return dict.fromkeys(agents, why)
    own = "the measured-boot policy is the agent's own, which is not mapped"
    return {
        agent: own
        for agent in agents
        if agent in names and agent not in counting
    }


def _names(api: Api, deadline_s: Callable[[], float]) -> frozenset[str] | None:
    found, _ = api.get("mbpolicies/", deadline_s)
    if found is None:
        return None
    names = found.get(_NAMES)
    if type(names) is not list or any(type(n) is not str for n in names):
        raise api.failed(
            ContactCode.BAD_ANSWER, "does not name its measured-boot policies"
        )
    return frozenset(names)


def _against_all(
    api: Api,
    names: frozenset[str] | None,
    agents: Collection[str],
    counting: frozenset[str],
    deadline_s: Callable[[], float],
) -> str:
    """Return why any agent may be bound to a policy that does not count."""
    if names is None:
        return "the verifier does not say which measured-boot policies it has"
    for name in sorted(names - counting - frozenset(agents)):
        return (
            "the verifier has a measured-boot policy that is not mapped, "
            f"{strict_json.shown(name)!r}"
        )
    for name in sorted(names & counting):
        found, _ = api.get(f"mbpolicies/{quoted(name)}", deadline_s)
        if not found or not _looks(found.get(_CONTENT)):
            shown = strict_json.shown(name)
            return f"the measured-boot policy {shown!r} looks at nothing"
    return ""


def _looks(content: Any) -> bool:
    """Whether Keylime looks at anything by it (``tpm_main.check_pcrs``)."""
    try:
        return type(content) is str and bool(json.loads(content))
    except (ValueError, RecursionError):
        return False
