# SPDX-License-Identifier: Apache-2.0
"""The scenes of the demo, in their order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from demo import world
from demo.scenes import attesting
from demo.scenes import evidence
from demo.scenes import moving
from demo.scenes import placing
from demo.scenes import recording
from demo.scenes import rules
from demo.scenes import watching
from demo.stage import Stage


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """One scene.

    :ivar name: what ``--only`` calls it
    :ivar clause: of GR NFV-SEC 009
    :ivar shows: what there is to see, in a sentence or two
    :ivar ours: whether it needs monitor or ledger, which Nova alone has not
    """

    name: str
    title: str
    clause: str
    shows: str
    play: Callable[[Stage], None]
    ours: bool = False


SCENES = (
    Scene(
        "interception",
        "Lawful interception stays where the law is",
        "4.5, 5.1.6, 7.2.3",
        "A tap needs an enclave that somebody outside the operator attests, "
        "in Germany. par-1 is one as well, and has more room, but it is "
        "French.",
        placing.interception,
    ),
    Scene(
        "subscribers",
        "A function moves only where interception can follow",
        "4.5.2, 8.2",
        "A subscriber database meets its profile without an enclave, so that "
        "Nova can live-migrate it. Zurich has good hosts, but none that could "
        "take a tap.",
        moving.subscribers,
    ),
    Scene(
        "follow",
        "When interception can no longer follow, nobody new comes",
        "4.5.2, 8.2",
        "First both German enclave hosts turn bad, then they are full. What "
        "is placed already is not evicted for that.",
        moving.follow,
    ),
    Scene(
        "key-stores",
        "An exclusive pool is kept free of others",
        "7.2.2",
        "ham-1 and ham-2 belong to the key stores alone. Nobody else gets in: "
        "not by its flavor, not for want of another host, not by an "
        "administrator's wish.",
        placing.key_stores,
    ),
    Scene(
        "web-servers",
        "Ordinary servers are not hurt",
        "7.2",
        "A web server asks for nothing, and goes wherever nobody else's pool "
        "is.",
        placing.web_servers,
    ),
    Scene(
        "hints",
        "Tenants may narrow the choice, never widen it",
        "5.1.6",
        "A hint counts beside the flavor, not instead of it. One that cannot "
        "be read is refused, in words that give no host away.",
        placing.hints,
    ),
    Scene(
        "resize",
        "A plain flavor does not escape the project's floor",
        "5.3.2",
        "The policy wants all servers of the project billing in Germany, on "
        "hosts with a hardware TPM. Its flavor cannot change that.",
        moving.resize,
    ),
    Scene(
        "results",
        "A bad host takes no more; unheard of, nobody does",
        "5.1.2, 5.0.4",
        "An authority finds fault with one host. Later the collector falls "
        f"silent, and results older than {world.MAX_AGE_S} s do not count.",
        evidence.results,
    ),
    Scene(
        "tokens",
        "Tokens that are no good admit nobody",
        "5.1.1, 5.0.3",
        "Authorities sign what they say. The collector refuses tokens signed "
        "with another key, signed by nobody (alg: none), or expired, and says "
        "so once. A token that is replayed is believed no longer than it was "
        "the first time.",
        attesting.tokens,
    ),
    Scene(
        "disagree",
        "Where two authorities disagree the worse word counts",
        "5.0.4",
        "Both attest ber-1 and ber-2. It takes one of them to say no.",
        attesting.disagree,
    ),
    Scene(
        "vouch",
        "An authority outside the operator's domain has to vouch",
        "5.1.1, 5.3.3",
        "One flavor names the police's authority, another just wants a "
        "hardware TPM. The police no longer attest fra-1; the operator's own "
        "authority still does.",
        attesting.vouch,
    ),
    Scene(
        "outage",
        "An outage refuses those who ask, and nobody else",
        "5.1.2",
        "The police's authority is down. Nothing new is placed that rests on "
        "its word, nothing is moved away for it, and others are not hurt.",
        attesting.outage,
    ),
    Scene(
        "policies",
        "Only a sound policy replaces a policy",
        "5.3.2",
        "Two officers have to sign. Whatever else is put in place, the last "
        "good policy stays in force, and the log says so once.",
        rules.policies,
    ),
    Scene(
        "permissive",
        "Permissive mode says what it would refuse",
        "5.3.2",
        "Both projects have a floor: a hardware TPM. That of the project lab "
        "is permissive, for a start.",
        rules.permissive,
    ),
    Scene(
        "forged",
        "Forged results open no host",
        "5.1.1, 5.0.3",
        "The police's authority warns of the enclaves of ber-2. Somebody who "
        "can write the results file, but has no collector's key, says "
        "otherwise.",
        evidence.forged,
    ),
    Scene(
        "enclave",
        "An enclave that the guest does not use is none",
        "6.16",
        "The flavor wants a host with enclaves, but does not ask Nova to "
        "start the guest in one (hw:mem_encryption_model).",
        placing.enclave,
    ),
    Scene(
        "break-glass",
        "One officer may let one server in, and is on record",
        "5.3.2",
        "Frankfurt is flooded. One database has to go to Zurich at once, "
        "although no tap can follow it there.",
        rules.break_glass,
    ),
    Scene(
        "turns-bad",
        "A host turns bad under load",
        "5.1.3, 5.1.5, 5.3.2",
        "The monitor fences the host, and answers for each server as the "
        "policy's playbooks say: what failed decides what may be carried "
        "over. A web server that asks for nothing stays. Where what fails "
        "should not change in operation, a host that the monitor saw good "
        "before is found changed; one that it never saw good, failed.",
        watching.turns_bad,
        ours=True,
    ),
    Scene(
        "locked",
        "Nobody starts again what was stopped for a reason",
        "5.3.2, 4.5",
        "Nova asks no filter when a server is started, so that the monitor "
        "locks it first. Its owner is told that, but neither why nor where.",
        watching.locked,
        ours=True,
    ),
    Scene(
        "swallowed",
        "A host that does not do what it is asked is switched off",
        "5.3.2, 4.3",
        "Memory of ham-1 can be read, and the host pretends to stop a key "
        "store. After five seconds the alarm is raised, and the operator's "
        "own command switches the host off; only then is the server built "
        "anew elsewhere.",
        watching.swallowed,
        ours=True,
    ),
    Scene(
        "forced",
        "A forced placement is found and undone",
        "5.3.2",
        "By naming zone and host an administrator gets past all filters, "
        "onto a host that nobody attests.",
        watching.forced,
        ours=True,
    ),
    Scene(
        "everyone",
        "An authority that fails for everyone empties no cloud",
        "5.1.2",
        "Hosts fail one by one; when many fail at once it is the authority "
        "that is suspect. Hosts are fenced, but nobody is moved or stopped "
        "before a person has looked.",
        watching.everyone,
        ours=True,
    ),
    Scene(
        "released",
        "A person releases what is held; what is mended comes back",
        "5.3.2",
        "Three hosts really did get a kernel that nobody approved. A person "
        "has looked and says so; then the hosts are mended, and what was "
        "stopped runs again.",
        watching.released,
        ours=True,
    ),
    Scene(
        "ledger",
        "What is on record stays on record",
        "6.2, 5.3.2, 7.2.3",
        "All this is in a signed ledger, each entry with the hash of the one "
        "before. Somebody wants the last refusal to be forgotten.",
        recording.ledger,
        ours=True,
    ),
)
