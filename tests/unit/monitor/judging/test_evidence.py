# SPDX-License-Identifier: Apache-2.0
"""What carries each refusal, by code, freshness and whoever could speak."""

from __future__ import annotations

import dataclasses
import unittest
from collections.abc import Callable

from hypothesis import given

from nfv_mla_scheduler.judge.case import Case
from nfv_mla_scheduler.judge.decisions import Bearings
from nfv_mla_scheduler.judge.judge import Judge
from nfv_mla_scheduler.judge.judge import Request
from nfv_mla_scheduler.judge.unmet import Missing
from nfv_mla_scheduler.judge.unmet import Unmet
from nfv_mla_scheduler.model import Claim
from nfv_mla_scheduler.model import HostClass
from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.model import Status
from nfv_mla_scheduler.model import Subject
from nfv_mla_scheduler.model import Term
from nfv_mla_scheduler.monitor.judging.evidence import Carrier
from nfv_mla_scheduler.monitor.judging.evidence import Evidence
from nfv_mla_scheduler.monitor.judging.evidence import Sorting
from nfv_mla_scheduler.monitor.judging.silence import Watch
from nfv_mla_scheduler.monitor.judging.weighing import weigh
from nfv_mla_scheduler.policy.values import Binding
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.values import Freshness
from nfv_mla_scheduler.results.values import Result
from nfv_mla_scheduler.results.values import ResultsDocument
from tests import policies
from tests.unit import drafts
from tests.unit.drafts import NOW
from tests.unit.drafts import Draft
from tests.unit.generators import examples
from tests.unit.generators import recipes
from tests.unit.judge import court
from tests.unit.judge.scenes import BOOT
from tests.unit.judge.scenes import asking
from tests.unit.judge.scenes import bare
from tests.unit.judge.scenes import declares
from tests.unit.judge.scenes import of
from tests.unit.judge.scenes import pool
from tests.unit.judge.scenes import says
from tests.unit.judge.scenes import silent

WORD, RULE, SILENCE = Carrier.WORD, Carrier.RULE, Carrier.SILENCE
OUTAGE, OURSELVES, NOTHING = Carrier.OUTAGE, Carrier.OURSELVES, Carrier.NOTHING
IDENTITY = Carrier.IDENTITY
BAD = Status.CONTRAINDICATED
# When kl's word of NOW - 10 has lapsed, and that of NOW + 45 has not.
LATER = NOW + 60
Change = Callable[[Draft], None]


def evidence(
    draft: Draft, host: str = "h1", now: float = NOW
) -> list[Evidence]:
    """Return what carries each thing that a host does not meet."""
    world = drafts.build(draft)
    snapshot = court.snapshot_of(world)
    case = court.judge_of(world).case(world.request, snapshot, world.room)
    return _sorted(case, snapshot, host, now)


def _sorted(
    case: Case, snapshot: view.Snapshot, host: str, now: float
) -> list[Evidence]:
    watch = Watch()
    watch.look(0.0)
    sorting = Sorting(snapshot, 5000.0, watch, now)
    uuid = drafts.uuid(host)
    weighed = weigh(case.unmet(uuid, host, now), uuid, sorting)
    return [each.evidence for each in weighed]


def tpm(draft: Draft) -> None:
    draft.extra_specs["nfv_mla:capability.tpm"] = "required"


def wants(name: str, value: str = "required") -> Change:
    def change(draft: Draft) -> None:
        draft.extra_specs[f"nfv_mla:{name}"] = value

    return change


def by(authority: str, capability: str, **how: object) -> Change:
    return lambda draft: says(draft, capability, authority, **how)


def heard(at: float | None, authority: str = "", *hosts: str) -> Change:
    def change(draft: Draft) -> None:
        for (name, host), told in draft.told.items():
            if authority in ("", name) and host in (hosts or [host]):
                told.at = at

    return change


def unheard(authority: str, *hosts: str) -> Change:
    def change(draft: Draft) -> None:
        for host in hosts:
            del draft.told[authority, host]

    return change


def unbound(authority: str, host: str = "h1") -> Change:
    def change(draft: Draft) -> None:
        old = draft.bindings[host]
        attesters = {
            a: name for a, name in old.attesters.items() if a != authority
        }
        draft.bindings[host] = dataclasses.replace(old, attesters=attesters)

    return change


def without(name: str) -> Change:
    return lambda draft: silent(draft, name)


def alone(draft: Draft) -> None:
    """Nobody but kl vouches for anything."""
    draft.authorities["ver"] = dataclasses.replace(
        draft.authorities["ver"], vouches=frozenset()
    )


def rebooted(draft: Draft) -> None:
    told = draft.told["kl", "h1"]
    told.boot_seen, told.at = "another", NOW


def at_boot(draft: Draft) -> None:
    says(draft, "tpm", grade=BOOT)


def field(**how: object) -> Change:
    def change(draft: Draft) -> None:
        for name, value in how.items():
            setattr(draft, name, value)

    return change


def own_state(name: str, holds: bool | None) -> Change:
    return lambda draft: draft.own_state.update({name: holds})


def in_pool(**how: object) -> Change:
    return lambda draft: pool(draft, **how)


def moving(draft: Draft) -> None:
    draft.source = "h2"
    pool(draft, host_class=HostClass.SINGLE_RESTRICTED, members="h2")


def attested(draft: Draft) -> None:
    bare(draft, requirements=("5.3.3",))


def pinned(draft: Draft) -> None:
    """The key of a TPM has to be known, and kl has found it."""
    need = ((Term(Subject.SELF, "pinned-tpm"),),)
    bare(draft, add=(("pinned", "5.2.10", need),))
    draft.bindings["h1"] = dataclasses.replace(
        draft.bindings["h1"], pinned_keys=("k",)
    )
    draft.told["kl", "h1"].key = "k"


def monitored(draft: Draft) -> None:
    bare(draft, requirements=("5.3.2",))


# code -> (what, changes, now, what carries it, by whom, whether it evicts)
Row = tuple[str, tuple[Change, ...], float, Carrier, str, bool]
TABLE: dict[RefusalCode, tuple[Row, ...]] = {
    RefusalCode.MALFORMED: (
        ("unknown key", (wants("no-such"),), NOW, RULE, "", True),
    ),
    RefusalCode.NO_POLICY: (
        ("none", (tpm, field(without_policy=True)), NOW, OURSELVES, "", False),
    ),
    RefusalCode.POLICY_EXPIRED: (
        ("it has", (tpm, field(expires_at=NOW)), NOW, OURSELVES, "", False),
    ),
    RefusalCode.HOST_UNBOUND: (
        (
            "nobody",
            (
                tpm,
                lambda d: d.bindings.pop("h1") and None,
                unheard("kl", "h1"),
                unheard("ver", "h1"),
            ),
            NOW,
            RULE,
            "",
            True,
        ),
    ),
    RefusalCode.POOL_EXCLUSIVE: (
        (
            "others'",
            (in_pool(exclusive_to=of("police")),),
            NOW,
            RULE,
            "",
            True,
        ),
    ),
    RefusalCode.MANAGEMENT_DOMAIN: (
        (
            "others'",
            (
                in_pool(
                    host_class=HostClass.SINGLE_RESTRICTED,
                    management_domains=of("police"),
                ),
            ),
            NOW,
            NOTHING,
            "",
            False,
        ),
    ),
    RefusalCode.MOVE_NOT_ALLOWED: (
        ("elsewhere", (tpm, moving), NOW, NOTHING, "", False),
    ),
    RefusalCode.NOT_IN_POOL: (
        (
            "no member",
            (wants("pool", "pool-1"), in_pool(members="h2")),
            NOW,
            RULE,
            "",
            True,
        ),
    ),
    RefusalCode.NO_CLAIM: (
        ("all have spoken", (tpm, without("tpm")), NOW, WORD, "kl ver", True),
        (
            "the one who may not evict has spoken",
            (tpm, without("tpm"), unbound("kl")),
            NOW,
            WORD,
            "ver",
            False,
        ),
        (
            "nobody could speak",
            (tpm, unbound("kl"), unbound("ver")),
            NOW,
            RULE,
            "",
            True,
        ),
        (
            "one is silent about it, and not about others",
            (
                tpm,
                without("tpm"),
                heard(LATER - 5),
                heard(NOW - 30, "kl", "h1"),
            ),
            LATER,
            SILENCE,
            "kl",
            False,
        ),
        (
            "one is silent about everybody",
            (tpm, without("tpm"), heard(LATER - 5, "ver")),
            LATER,
            OUTAGE,
            "kl",
            False,
        ),
        (
            "one never spoke of it",
            (tpm, without("tpm"), unheard("ver", "h1")),
            NOW,
            SILENCE,
            "ver",
            False,
        ),
        (
            "nobody ever spoke of anybody",
            (tpm, unheard("ver", "h1", "h2"), unheard("kl", "h1", "h2")),
            NOW,
            OUTAGE,
            "kl ver",
            False,
        ),
        (
            "one never spoke at all",
            (tpm, without("tpm"), unheard("ver", "h1", "h2")),
            NOW,
            OUTAGE,
            "ver",
            False,
        ),
    ),
    RefusalCode.STALE: (
        (
            "this host alone",
            (tpm, alone, heard(LATER - 5, "", "h2")),
            LATER,
            SILENCE,
            "kl",
            False,
        ),
        ("everybody", (tpm, alone), LATER, OUTAGE, "kl", False),
        (
            "the one who knows its key, whoever else is fresh",
            (pinned, heard(LATER - 5, "kl", "h2"), heard(LATER - 5, "ver")),
            LATER,
            SILENCE,
            "kl",
            False,
        ),
        (
            "the one who knows its key, of everybody",
            (pinned, heard(LATER - 5, "ver")),
            LATER,
            OUTAGE,
            "kl",
            False,
        ),
        (
            "one silent, one out",
            (tpm, heard(LATER - 5, "kl", "h2"), heard(NOW - 90, "ver")),
            LATER,
            OUTAGE,
            "kl ver",
            False,
        ),
        (
            "no time of it",
            (tpm, alone, heard(None, "", "h1")),
            NOW,
            SILENCE,
            "kl",
            False,
        ),
        (
            "its own word has ended",
            (
                tpm,
                alone,
                lambda d: setattr(d.told["kl", "h1"], "until", NOW - 1),
            ),
            NOW,
            SILENCE,
            "kl",
            False,
        ),
        (
            "a declared fact has ended",
            (
                wants("capability.logical-authentication"),
                without("logical-authentication"),
                lambda d: declares(d, "logical-authentication", until=NOW),
            ),
            NOW,
            OUTAGE,
            "",
            False,
        ),
        (
            "a boot-time claim of nobody knows which boot is too old",
            (
                tpm,
                alone,
                at_boot,
                heard(NOW + 5990),
                lambda d: setattr(d.told["kl", "h1"], "boot", None),
            ),
            NOW + 6000,
            OUTAGE,
            "kl",
            False,
        ),
        (
            "the fabric's declaration has ended",
            (
                lambda d: bare(d, requirements=("5.3.1",)),
                lambda d: d.site.__setitem__(
                    0, dataclasses.replace(d.site[0], until=NOW)
                ),
            ),
            NOW,
            OUTAGE,
            "",
            False,
        ),
    ),
    RefusalCode.BOOT_ENDED: (
        (
            "another boot",
            (tpm, alone, at_boot, rebooted),
            NOW,
            SILENCE,
            "kl",
            False,
        ),
        (
            "another boot of the only host",
            (tpm, alone, at_boot, rebooted, unbound("kl", "h2")),
            NOW,
            OUTAGE,
            "kl",
            False,
        ),
    ),
    RefusalCode.GRADE_TOO_WEAK: (
        (
            "attested at boot only",
            (
                wants("max_age", "60"),
                alone,
                by("kl", "attestation", grade=BOOT),
            ),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "by one, and the other is out",
            (
                wants("max_age", "60"),
                by("kl", "attestation", grade=BOOT),
                unheard("ver", "h1", "h2"),
            ),
            NOW,
            OUTAGE,
            "ver",
            False,
        ),
    ),
    RefusalCode.VALUE_MISMATCH: (
        (
            "fresh",
            (
                wants("capability.tpm", "hardware"),
                alone,
                by("kl", "tpm", values="virtual"),
            ),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "by one who may not evict",
            (
                wants("capability.tpm", "hardware"),
                by("ver", "tpm", values="virtual"),
            ),
            NOW,
            WORD,
            "ver",
            False,
        ),
        (
            "by both, of whom one may evict",
            (
                wants("capability.tpm", "hardware"),
                by("kl", "tpm", values="virtual"),
                by("ver", "tpm", values="equivalent-hardware"),
            ),
            NOW,
            WORD,
            "kl ver",
            True,
        ),
        (
            "declared",
            (
                wants("capability.logical-authentication", "time-based"),
                without("logical-authentication"),
                lambda d: declares(d, "logical-authentication"),
            ),
            NOW,
            RULE,
            "",
            True,
        ),
        (
            "old, and silent since",
            (
                wants("capability.tpm", "hardware"),
                alone,
                by("kl", "tpm", values="virtual"),
                heard(LATER - 5, "", "h2"),
            ),
            LATER,
            SILENCE,
            "kl",
            False,
        ),
        (
            "old, of one fresh for nobody",
            (
                wants("capability.tpm", "hardware"),
                alone,
                by("kl", "tpm", values="virtual"),
            ),
            LATER,
            OUTAGE,
            "kl",
            False,
        ),
    ),
    RefusalCode.WARNING: (
        (
            "fresh",
            (tpm, by("kl", "tpm", status=Status.WARNING)),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "old, of one fresh for nobody",
            (tpm, by("kl", "tpm", status=Status.WARNING)),
            NOW + 500,
            WORD,
            "kl",
            True,
        ),
    ),
    RefusalCode.CONTRAINDICATED: (
        ("fresh", (tpm, by("kl", "tpm", status=BAD)), NOW, WORD, "kl", True),
        (
            "by one who may not evict",
            (tpm, by("ver", "tpm", status=BAD)),
            NOW,
            WORD,
            "ver",
            False,
        ),
        (
            "by both",
            (tpm, by("kl", "tpm", status=BAD), by("ver", "tpm", status=BAD)),
            NOW,
            WORD,
            "kl ver",
            True,
        ),
        (
            "old, of one fresh for nobody",
            (tpm, by("kl", "tpm", status=BAD)),
            NOW + 500,
            WORD,
            "kl",
            True,
        ),
        (
            "old, of one silent about it alone",
            (tpm, by("kl", "tpm", status=BAD), heard(LATER - 5, "", "h2")),
            LATER,
            WORD,
            "kl",
            True,
        ),
    ),
    RefusalCode.DOUBTED: (
        (
            "another claim is contraindicated",
            (tpm, alone, by("kl", "measured-boot", status=BAD)),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "old, of one fresh for nobody",
            (tpm, alone, by("kl", "measured-boot", status=BAD)),
            NOW + 500,
            WORD,
            "kl",
            True,
        ),
        (
            "and another might have spoken for it",
            (
                tpm,
                unheard("ver", "h1", "h2"),
                by("kl", "measured-boot", status=BAD),
            ),
            NOW,
            OUTAGE,
            "ver",
            False,
        ),
    ),
    RefusalCode.AUTHORITY_SILENT: (
        (
            "it knows the key, and does not attest it",
            (
                pinned,
                lambda d: (
                    d.told["kl", "h1"].claims.pop("attestation") and None
                ),
            ),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "it is not bound to it",
            (wants("authority", "ver"), unbound("ver")),
            NOW,
            RULE,
            "",
            True,
        ),
        (
            "it never spoke of this host",
            (wants("authority", "ver"), unheard("ver", "h1")),
            NOW,
            SILENCE,
            "ver",
            False,
        ),
        (
            "it never spoke of anybody",
            (wants("authority", "ver"), unheard("ver", "h1", "h2")),
            NOW,
            OUTAGE,
            "ver",
            False,
        ),
        (
            "it spoke, and not of attestation",
            (
                wants("authority", "kl"),
                lambda d: (
                    d.told["kl", "h1"].claims.pop("attestation") and None
                ),
            ),
            NOW,
            WORD,
            "kl",
            True,
        ),
        (
            "nobody is bound",
            (attested, unbound("kl"), unbound("ver")),
            NOW,
            RULE,
            "",
            True,
        ),
        (
            "one who may not evict contradicts it, and the other attests it",
            (attested, by("ver", "attestation", status=BAD)),
            NOW,
            WORD,
            "ver",
            False,
        ),
        (
            "and so whatever becomes of the one who attests it",
            (
                attested,
                by("ver", "attestation", status=BAD),
                unheard("kl", "h1"),
            ),
            NOW,
            WORD,
            "ver",
            False,
        ),
    ),
    RefusalCode.APPLICATION_LACKS: (
        (
            "an unsigned image",
            (
                wants("provision", "signed-image"),
                lambda d: d.image.pop("img_signature") and None,
            ),
            NOW,
            RULE,
            "",
            True,
        ),
    ),
    RefusalCode.NOT_JUDGED: (
        (
            "a key that nobody compares",
            (pinned, lambda d: setattr(d.told["kl", "h1"], "key", "other")),
            NOW,
            OURSELVES,
            "",
            False,
        ),
        (
            "of ourselves",
            (monitored, own_state("monitor-alive", None)),
            NOW,
            OURSELVES,
            "",
            False,
        ),
    ),
    RefusalCode.SELF_UNMET: (
        (
            "of ourselves",
            (monitored, own_state("monitor-alive", False)),
            NOW,
            OURSELVES,
            "",
            False,
        ),
    ),
    RefusalCode.NOTHING_FOLLOWS: (
        (
            "no room",
            (
                wants("follow", "infrastructure-as-a-service"),
                field(room=frozenset()),
            ),
            NOW,
            OURSELVES,
            "",
            False,
        ),
    ),
}

# What no draft comes to here, and what carries it all the same.
PLAINLY = {
    RefusalCode.BINDING_MISMATCH: IDENTITY,
    RefusalCode.UNAVAILABLE: OURSELVES,
    # where a server is, it may stay
    RefusalCode.NOT_CLEAN: NOTHING,
}


class TestTable(unittest.TestCase):
    def test_every_code_has_its_rows(self):
        self.assertEqual(set(RefusalCode), TABLE.keys() | PLAINLY.keys())

    def test_each_row(self):
        for code, rows in TABLE.items():
            for what, changes, now, carrier, names, evicts in rows:
                with self.subTest(code=code.value, what=what):
                    draft = drafts.good(2)
                    for change in changes:
                        change(draft)
                    found = [
                        each
                        for each in evidence(draft, now=now)
                        if each.refusal.code is code
                    ]
                    self.assertTrue(found)
                    for each in found:
                        self.assertEqual(carrier, each.carrier)
                        authorities = frozenset(names.split())
                        self.assertEqual(authorities, each.authorities)
                        self.assertEqual(evicts, each.evicts)

    def test_codes_that_no_claim_bears_on(self):
        snapshot = court.snapshot_of(drafts.build(drafts.good(2)))
        sorting = Sorting(snapshot, 5000.0, Watch(), NOW)
        for code, carrier in PLAINLY.items():
            missing = Missing(Refusal(code))
            found = sorting.evidence(missing, drafts.uuid("h1"))
            self.assertEqual(carrier, found.carrier, code)

    def test_an_unbound_name_of_a_bound_node_is_no_stranger(self):
        snapshot = court.snapshot_of(drafts.build(drafts.good(2)))
        sorting = Sorting(snapshot, 5000.0, Watch(), NOW)
        missing = Missing(Refusal(RefusalCode.HOST_UNBOUND))
        for host, carrier in (("h1", IDENTITY), ("h9", RULE)):
            found = sorting.evidence(missing, drafts.uuid(host))
            self.assertEqual((carrier, True), (found.carrier, found.evicts))


class TestFaulty(unittest.TestCase):
    def test_what_cannot_be_taken_is_no_word(self):
        draft = asking(2, capability__tpm="required")
        alone(draft)
        world = drafts.build(draft)
        snapshot = court.snapshot_of(world)
        told = world.document.results["kl"]
        faulty = dataclasses.replace(told["k-h1"], faulty=True)
        results = {**world.document.results, "kl": {**told, "k-h1": faulty}}
        document = dataclasses.replace(world.document, results=results)
        snapshot = view.merge(
            snapshot, snapshot.policy, document, snapshot.own_state
        )
        case = court.judge_of(world).case(world.request, snapshot, world.room)
        (found,) = _sorted(case, snapshot, "h1", NOW)
        self.assertEqual(RefusalCode.DOUBTED, found.refusal.code)
        self.assertEqual((OUTAGE, False), (found.carrier, found.evicts))


class TestWays(unittest.TestCase):
    """A need that is met in several ways, one of them by ver alone."""

    def _either(self) -> Draft:
        draft = drafts.good(2)
        enclave = Term(Subject.HOST, "execution-enclave")
        inspection = Term(
            Subject.HOST, "memory-inspection", any_of=of("granted")
        )
        bare(draft, add=(("either", "6.1", ((inspection,), (enclave,))),))
        kl = draft.authorities["kl"]
        vouches = kl.vouches - {"execution-enclave"}
        draft.authorities["kl"] = dataclasses.replace(kl, vouches=vouches)
        return draft

    def test_either_way_will_do(self):
        self.assertEqual([], evidence(self._either()))

    def test_an_outage_is_no_word_though_another_way_is_closer(self):
        draft = self._either()
        heard(NOW + 90, "kl")(draft)
        (found,) = evidence(draft, now=NOW + 100)
        self.assertEqual(
            (OUTAGE, of("ver")), (found.carrier, found.authorities)
        )
        self.assertFalse(found.evicts)

    def test_every_way_has_to_be_closed_by_a_word(self):
        draft = self._either()
        says(draft, "execution-enclave", "ver", status=BAD)
        (found,) = evidence(draft)
        self.assertEqual((WORD, of("ver")), (found.carrier, found.authorities))
        self.assertFalse(found.evicts)

    @examples(150)
    @given(recipes())
    def test_what_is_unmet_is_what_is_refused(self, recipe):
        draft = recipe.draft()
        case = court.case_of(drafts.build(draft))
        for uuid, host in draft.candidates():
            decision = case.decision(uuid, host, draft.now)
            unmet = case.unmet(uuid, host, draft.now)
            enforced = [each for each in unmet if not each.permissive]
            self.assertEqual(decision.admitted, not enforced)
            told = {r for each in enforced for r in _closest(each)}
            self.assertEqual(set(decision.refusals), told)

    @examples(150)
    @given(recipes())
    def test_before_any_grace_silence_evicts_nothing(self, recipe):
        draft = recipe.draft()
        for _, host in draft.candidates():
            for each in evidence(draft, host, draft.now):
                if each.carrier not in (WORD, RULE):
                    self.assertFalse(each.evicts)
                self.assertNotEqual("", min(each.authorities, default="-"))


def _closest(unmet: Unmet) -> list[Refusal]:
    way = min(unmet.ways, key=len)
    return [missing.refusal for missing in way]


class TestSignedPolicy(unittest.TestCase):
    """The example policy, as officers sign it, and results about its hosts."""

    def setUp(self):
        self.policy = policies.accept(policies.signed(policies.policy_yaml()))
        self.now = policies.NOW

    def _found(self, results, at, now, specs):
        freshness = {
            a: {t: Freshness(at[a], None) for t in some}
            for a, some in results.items()
        }
        document = ResultsDocument("c", now, "", results, freshness, ())
        snapshot = view.merge(
            view.empty(drafts.CATALOGUE), self.policy, document, {}
        )
        case = Judge(Bearings()).case(Request("p", specs, {}, {}), snapshot)
        host = self.policy.hosts["par-1"]
        watch = Watch()
        watch.look(0.0)
        sorting = Sorting(snapshot, 5000.0, watch, now)
        unmet = case.unmet(host.node_uuid, host.host, now)
        return [w.evidence for w in weigh(unmet, host.node_uuid, sorting)]

    def _results(self, status):
        def result(host: Binding, status: Status) -> Result:
            claim = Claim("measured-boot", status, BOOT, {})
            attester = host.attesters["keylime-fra"]
            return Result(
                "keylime-fra",
                attester,
                {"measured-boot": claim},
                None,
                self.now - 50,
            )

        about = [
            result(self.policy.hosts["par-1"], status),
            result(self.policy.hosts["ber-1"], Status.AFFIRMING),
        ]
        return {"keylime-fra": {r.attester: r for r in about}}

    def test_a_word(self):
        specs = {"nfv_mla:capability.measured-boot": "required"}
        at = {"keylime-fra": self.now - 5}
        results = self._results(Status.AFFIRMING)
        self.assertEqual([], self._found(results, at, self.now, specs))
        results = self._results(BAD)
        (found,) = self._found(results, at, self.now, specs)
        self.assertEqual(WORD, found.carrier)
        self.assertTrue(found.evicts)

    def test_an_outage(self):
        specs = {"nfv_mla:capability.tpm": "required"}
        at = {"keylime-fra": self.now - 100}
        results = self._results(Status.AFFIRMING)
        (found,) = self._found(results, at, self.now, specs)
        self.assertEqual(OUTAGE, found.carrier)
        self.assertFalse(found.evicts)
