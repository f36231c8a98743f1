# SPDX-License-Identifier: Apache-2.0
"""What each refusal means, and what would have to change: the texts.

Values only.  ``words.py`` fills them in for people, ``page.py`` prints them as
a page of the documentation; nobody else has words of their own for a refusal.

In ``says`` and in the remedies, ``{subject}`` is a capability, or whatever
else is meant, with its title; ``{wanted}`` which values and grade would do, or
nothing; ``{by}`` the authority that said it, or the policy that declared it;
``{detail}`` what the judge adds; ``{waive}`` to waive the requirement, and
``{or_waive}`` to do so instead, or nothing where no profile asks for it.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from nfv_mla_scheduler.model import RefusalCode


class Role(enum.Enum):
    """Who could change something about a refusal."""

    TENANT = "tenant"
    OPERATOR = "operator"
    OFFICER = "officer"


@dataclasses.dataclass(frozen=True, slots=True)
class Phrase:
    """The texts of one refusal.

    :ivar says: one sentence about one host
    :ivar remedies: who could do what about it, the likeliest first
    :ivar more: the fine points, for the page
    :ivar clause: on which the rule itself rests, for the page
    """

    says: str
    remedies: Mapping[Role, str]
    more: str
    clause: str


_CODE = RefusalCode
_TENANT, _OPERATOR, _OFFICER = Role.TENANT, Role.OPERATOR, Role.OFFICER

ABOUT_REQUEST = {
    _CODE.MALFORMED: Phrase(
        "What is asked for cannot be read: {key} {detail}.",
        {
            _TENANT: "correct {key} in the request's hints, or take another "
            "flavor",
            _OPERATOR: "correct {key} in the flavor; a server that exists "
            "keeps its flavor as it was, so resize it",
            _OFFICER: "let the policy name what {key} names, if it should "
            "exist",
        },
        "Flavor, hints or the project's floor have a key that does not "
        "exist, a value of the wrong form, a name that the policy does "
        "not know, an age below twice an authority's cadence, or lawful "
        "interception without a jurisdiction beside it.  No host is right "
        "for it, and neither permissive mode nor any waiver helps.  The "
        "owner is told key and value.",
        "5.3.2",
    ),
    _CODE.NO_POLICY: Phrase(
        "No signed policy is in force.",
        {
            _OPERATOR: "set policy_file and officer_keys, and see in the log "
            "of nova-scheduler why no policy is taken",
            _OFFICER: "sign a policy, as many of you as officer_threshold "
            "asks for",
        },
        "No signed policy was ever accepted by this scheduler: "
        "``policy_file`` or ``officer_keys`` is not set, or every envelope so "
        "far was refused.  Servers that ask are refused, and with "
        "``without_policy = refuse_all`` all of them.  Or one was accepted "
        "and is lost: then what ``state_dir`` kept closes exclusive pools and "
        "tells who has a floor, and all are refused if that is damaged.  The "
        "log says why an envelope is refused; see "
        ":doc:`../officer/signing`.",
        "5.3.2",
    ),
    _CODE.POLICY_EXPIRED: Phrase(
        "The policy in force has expired.",
        {
            _OFFICER: "sign a new version of the policy, with a later date "
            "under 'expires'",
        },
        "Its ``expires`` has passed.  Servers that ask are refused until "
        "there is a new version; pools that are exclusive still keep others "
        "out.  The log warns 30, 7 and 1 days before.",
        "5.3.2",
    ),
    _CODE.UNAVAILABLE: Phrase(
        "The scheduler's process cannot judge at all.",
        {
            _OPERATOR: "see the cause in the log of nova-scheduler, behind "
            "'nfv-mla cannot judge'",
        },
        "An option cannot be used, a file named in ``officer_keys`` cannot be "
        "read, or a library that is needed cannot be imported.  Servers that "
        "ask are refused, and so are servers of projects that have a floor; "
        "the others are kept off exclusive pools by what was last kept of the "
        "policy in ``state_dir``, and all are refused if that is damaged.  "
        "The log has the cause once, with a traceback; it is tried again "
        "every 10 seconds.",
        "5.3.2",
    ),
}

ABOUT_PLACE = {
    _CODE.HOST_UNBOUND: Phrase(
        "The policy binds no host of this name.",
        {
            _OFFICER: "bind the host in the policy, with its compute node's "
            "UUID and its ids at the authorities",
            _OPERATOR: "use another host, or a flavor that asks for nothing",
        },
        "Only servers that ask are refused.",
        "5.0.3",
    ),
    _CODE.BINDING_MISMATCH: Phrase(
        "Host name and compute node are not those that the policy binds "
        "together.",
        {
            _OPERATOR: "find out whether the host was installed anew, or "
            "another machine uses its name",
            _OFFICER: "change node_uuid in the policy, once you know that it "
            "is the same machine",
        },
        "Either the host was installed anew and the policy does not know yet, "
        "or another machine uses its name.",
        "5.0.3",
    ),
    _CODE.POOL_EXCLUSIVE: Phrase(
        "The host is kept for others: {detail}.",
        {
            _OPERATOR: "use a host outside this pool",
            _OFFICER: "give the project a trust domain to which the pool is "
            "open, or extend exclusive_to of the pool",
        },
        "It is listed in a pool that is exclusive to trust domains other than "
        "that of the server's project; being listed is enough.  It holds for "
        "every server, also for one that asks for nothing.",
        "7.2.1, 7.2.2",
    ),
    _CODE.MANAGEMENT_DOMAIN: Phrase(
        "Only schedulers of the pool's own management domain may place "
        "there: {detail}.",
        {
            _OPERATOR: "set management_domain of [nfv_mla], if this "
            "scheduler belongs to that domain",
            _OFFICER: "name this scheduler's domain in management_domains of "
            "the pool, if it may place there",
        },
        "The host is listed in a pool of a class that only schedulers of the "
        "pool's ``management_domains`` may fill, and the "
        "``management_domain`` of this scheduler is not among them.  It holds "
        "for every server.",
        "7.2.1, 7.2.2",
    ),
    _CODE.NOT_CLEAN: Phrase(
        "A server with a need for secure clean-up has left the host, and it "
        "is not shown yet that the host was cleaned.",
        {
            _OPERATOR: "wait until the host is appraised anew, and see that "
            "its results show secure clean-up; or use another host",
            _OFFICER: "declare the clean-up that the host does, or waive "
            "5.2.8 for the profile of those that leave",
        },
        "The monitor's status file lists the host under ``dirty``.  It is "
        "open to servers of the trust domain whose server left, unless that "
        "domain is sealed; to all others, also to one that asks for nothing, "
        "once results that are newer than the departure show the clean-up "
        "that the profile needs.  A server that is there already stays, and "
        "may be rebuilt there.",
        "5.2.8",
    ),
    _CODE.MOVE_NOT_ALLOWED: Phrase(
        "The class of the host that the server is on does not let it come "
        "here.",
        {
            _OPERATOR: "move it to a host that its present pool allows",
            _OFFICER: "list the host in moves_to of a single-restricted "
            "pool, or in the same pool",
        },
        "From a single-restricted host a server may go only to those listed "
        "in ``moves_to``, from a pooled-restricted one inside the pool, from "
        "a pooled-restricted-concealed one to pools of the class with the "
        "same owners, from a secure-execution one to hosts of that class.",
        "7.2",
    ),
    _CODE.NOT_IN_POOL: Phrase(
        "The policy lists the host in no {subject} that was asked for.",
        {
            _OPERATOR: "nothing: it is another kind of host, unless the "
            "flavor asks for the wrong one",
            _OFFICER: "list the host in such a pool, if it can prove the "
            "pool's class",
        },
        "Nothing that the host claims changes that.",
        "7.2, 7.2.2",
    ),
}

ABOUT_CLAIMS = {
    _CODE.NO_CLAIM: Phrase(
        "Nobody whose word counts claims {subject}{wanted}.",
        {
            _OPERATOR: "let an authority attest it, and see whether its "
            "results arrive",
            _OFFICER: "let an authority vouch for it, declare it where a "
            "declared grade counts{or_waive}",
        },
        "No authority to which the policy gives the capability does, and no "
        "declared fact; or the host has no result at all.  It is also said "
        "when a profile's ``values`` leave no way to meet a requirement.",
        "5.3.2",
    ),
    _CODE.STALE: Phrase(
        "What {by} said of {subject} is too old.",
        {
            _OPERATOR: "see whether authority and collector still work, and "
            "whether their clocks and ours agree",
            _OFFICER: "renew a declared fact that has ended, or allow a "
            "greater age",
        },
        "The claim that would carry it is older than the authority's "
        "``max_age_s``, the profile's, or the server's ``nfv_mla:max_age``, "
        "or the authority's own word on it has ended; or a declared fact or "
        "the policy itself has passed its end.  ``nfv-mla results show`` "
        "prints ages.",
        "5.1.2",
    ),
    _CODE.BOOT_ENDED: Phrase(
        "What {by} said of {subject} was of a boot that is over.",
        {
            _OPERATOR: "have the host attested in its present boot",
        },
        "The authority has since seen the host in another boot.",
        "5.1.1",
    ),
    _CODE.GRADE_TOO_WEAK: Phrase(
        "{by} claims {subject}, but at a grade that is too weak{wanted}.",
        {
            _OPERATOR: "have it attested better: at run time rather than at "
            "boot, or at boot rather than declared",
            _OFFICER: "let a profile accept the declared grade "
            "(accept_declared){or_waive}",
        },
        "The capability is only declared where it has to be attested, or only "
        "attested at boot where that has to be at run time.  A static "
        "capability attested at boot meets a run-time requirement, a dynamic "
        "one never does (Table 10).",
        "5.1.1",
    ),
    _CODE.VALUE_MISMATCH: Phrase(
        "{by} claims {subject} with values that do not fit{wanted}.",
        {
            _OPERATOR: "use another host, or change the host so that it can "
            "claim such values",
            _OFFICER: "correct the declared fact, if that is what is wrong",
        },
        "None of those values that would do, not all of those that are "
        "needed, one that is excluded, or a location in other regions.  One "
        "such voice is enough, however old its claim, and whatever others "
        "say.",
        "5.0.4, 5.1.6",
    ),
    _CODE.WARNING: Phrase(
        "{by} warns about {subject}.",
        {
            _OPERATOR: "see at the authority what it warns of, and mend the "
            "host",
        },
        "An authority to which the policy gives this capability claims it "
        "with status *warning*, which contradicts.",
        "5.0.4",
    ),
    _CODE.CONTRAINDICATED: Phrase(
        "{by} says that the host is not as it should be: {subject}.",
        {
            _OPERATOR: "treat the host as failed until the authority says "
            "otherwise",
        },
        "An authority to which the policy gives this capability says that the "
        "host does not have it, or not as it should.  That blocks it however "
        "well others speak, and however old it is, since silence must not "
        "help.",
        "5.0.4",
    ),
    _CODE.DOUBTED: Phrase(
        "What {by} says of {subject} is in doubt, since something else that "
        "it says of this host is bad or cannot be read.",
        {
            _OPERATOR: "find the claim that is contraindicated, or the "
            "result that is left out; the doubt ends with it",
        },
        "The authority that would carry the claim contraindicates another "
        "claim about the same host, or its result about the host is faulty "
        "(:doc:`results-document`), and so it carries nothing about the "
        "host.  ``nfv-mla results show`` prints the claims and what is left "
        "out.",
        "5.0.4",
    ),
    _CODE.AUTHORITY_SILENT: Phrase(
        "{silent} the host.",
        {
            _OPERATOR: "enrol the host at the authority, and see whether its "
            "results arrive",
            _OFFICER: "bind the host to its id there (attesters)",
        },
        "A certain authority has to vouch for the host and says nothing of "
        "it: the one that ``nfv_mla:authority`` or ``vouchers_min`` names; or "
        "any authority at all, any outside the operator's trust domain, or "
        "any that found the host's TPM to have a key that the policy pins.",
        "5.1.1, 5.3.3",
    ),
}

ABOUT_SERVER = {
    _CODE.APPLICATION_LACKS: Phrase(
        "Flavor and image do not do their part: {subject}.",
        {
            _TENANT: "use an image or a flavor that has it",
            _OPERATOR: "offer a flavor that has it; no host can make up for "
            "it",
        },
        "Neither flavor nor image asks Nova for a signed or encrypted image, "
        "an enclave that also stops alteration and replay, an encrypted "
        "volume, a random number device, or a device assigned directly.  "
        ":doc:`standard` lists the terms, and :doc:`decisions` how they are "
        "read.",
        "5.1.3, 5.2.1, 6.16",
    ),
    _CODE.NOT_JUDGED: Phrase(
        "It cannot be judged yet, and is not taken as met: {subject}.",
        {
            _OFFICER: "{waive}, with a reason and an end date",
        },
        "It depends on something that cannot be judged here: a monitor that "
        "is alive, where ``monitor_status_file`` is not set; a ledger that "
        "can be written and signed, where ``audit_dir`` is not set; receipts "
        "that are served (``monitor-alive``, ``ledger-writable``, "
        "``receipts-served``), a key of the host's TPM that the policy pins "
        "and no authority compares, or an application that uses an HSM of "
        "its own.  Every profile of the standard needs 5.2.10, hence is "
        "refused everywhere until the policy waives it.",
        "5.2.10, 5.3.2",
    ),
    _CODE.SELF_UNMET: Phrase(
        "It does not hold here: {subject}.",
        {
            _OFFICER: "let an authority outside the operator's trust domain "
            "vouch for the host",
        },
        "A condition about ourselves was judged and does not hold: that a "
        "monitor is alive and halts what it finds, where "
        "``monitor_status_file`` names its status; or that the policy pins a "
        "key of the host's TPM "
        "(``pinned_keys``) where a profile takes that in place of a voucher "
        "from outside. Where it does pin one that no authority compares with "
        "the host's, the refusal is ``not-judged``.",
        "5.2.10",
    ),
    _CODE.NOTHING_FOLLOWS: Phrase(
        "What has to be able to follow cannot: {detail}.",
        {
            _OPERATOR: "make room there for the function that follows, or "
            "place the server where that can go",
            _OFFICER: "see which hosts satisfy the followed profile, and why "
            "the others do not",
        },
        "The server has ``nfv_mla:follow``, and no host that satisfies the "
        "followed profile, with room for one such server, shares this host's "
        "jurisdiction (or the axis named).  It is also said while Placement "
        "cannot be asked for room.",
        "4.5.2, 8.2",
    ),
}

# What else two of the codes may mean, told by what stands in the refusal.
OF_FLOOR = Phrase(
    "What the project's floor asks for cannot be met by anybody: {key} "
    "{detail}.",
    {_OFFICER: "correct the floor of the project in the policy"},
    "",
    "5.3.2",
)
NO_WAY = Phrase(
    "The profile's values leave no way to meet {subject}.",
    {_OFFICER: "allow more under 'values' of the profile{or_waive}"},
    "",
    "5.3.2",
)
SILENT = {
    "authority-fresh": "No authority at all vouches for",
    "independent-authority": "No authority outside the operator's trust "
    "domain vouches for",
    "pinned-tpm": "No authority that knows the pinned key of its TPM vouches "
    "for",
    "attestation": "{by} says nothing of",
}

SECTIONS: Mapping[str, Mapping[RefusalCode, Phrase]] = {
    "About the request": ABOUT_REQUEST,
    "About the host's place in the policy": ABOUT_PLACE,
    "About claims": ABOUT_CLAIMS,
    "About the server, and about us": ABOUT_SERVER,
}
PHRASES: Mapping[RefusalCode, Phrase] = {
    code: phrase
    for section in SECTIONS.values()
    for code, phrase in section.items()
}
