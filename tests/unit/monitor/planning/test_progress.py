# SPDX-License-Identifier: Apache-2.0
"""What is next for a server follows from what Nova shows, and it ends."""

from __future__ import annotations

import dataclasses
import unittest

import hypothesis
from hypothesis import strategies as st

from nfv_mla_scheduler.model import Refusal
from nfv_mla_scheduler.model import RefusalCode
from nfv_mla_scheduler.monitor import picture
from nfv_mla_scheduler.monitor.findings import Axis
from nfv_mla_scheduler.monitor.findings import Conduct
from nfv_mla_scheduler.monitor.findings import Finding
from nfv_mla_scheduler.monitor.findings import Kind
from nfv_mla_scheduler.monitor.marking.marks import Code
from nfv_mla_scheduler.monitor.marking.marks import Mark
from nfv_mla_scheduler.monitor.marking.standing import Acted
from nfv_mla_scheduler.monitor.marking.standing import Lock
from nfv_mla_scheduler.monitor.marking.standing import Next
from nfv_mla_scheduler.monitor.marking.standing import Standing
from nfv_mla_scheduler.monitor.picture import Course
from nfv_mla_scheduler.monitor.picture import Migration
from nfv_mla_scheduler.monitor.picture import Power
from nfv_mla_scheduler.monitor.picture import Server
from nfv_mla_scheduler.monitor.picture import VmState
from nfv_mla_scheduler.monitor.planning.progress import progress
from nfv_mla_scheduler.monitor.planning.taking import AGAIN_S
from nfv_mla_scheduler.monitor.states import Verdict
from nfv_mla_scheduler.monitor.states import possible
from nfv_mla_scheduler.monitor.steps import Ask
from nfv_mla_scheduler.monitor.steps import State
from nfv_mla_scheduler.monitor.steps import Step

NOW = 1_800_000_000.0
PLACE = "fence lock live-migrate cold-migrate stop"
SECRET = "fence lock stop cold-migrate"
WHOLE = "fence lock stop alert"
OFF = "fence lock stop power-off rebuild-elsewhere"
PLAIN = picture.Ask({}, {}, {}, {})
ACTIVE = Server(
    "uuid",
    "project",
    "edge-1",
    "edge-1",
    VmState.ACTIVE,
    "",
    Power.RUNNING,
    True,
    "",
    NOW,
    "image",
    PLAIN,
)


def playbook(words: str) -> tuple[Step, ...]:
    return tuple(Step(word) for word in words.split())


def found(
    kind: Kind = Kind.FAILED,
    axis: Axis = Axis.PLACE,
    within_s: float = 600.0,
    **conduct: bool,
) -> Finding:
    return Finding(
        kind,
        "uuid",
        "edge-1",
        "project",
        axis,
        (Refusal(RefusalCode.CONTRAINDICATED),),
        Conduct(halt_within_s=within_s, **conduct),
        evicts=True,
    )


def seen(
    vm_state: VmState = VmState.ACTIVE, task: str = "", **changes: object
) -> Server:
    power = {
        VmState.STOPPED: Power.SHUTDOWN,
        VmState.SUSPENDED: Power.SUSPENDED,
        VmState.PAUSED: Power.PAUSED,
    }.get(vm_state, Power.RUNNING)
    server = dataclasses.replace(
        ACTIVE, vm_state=vm_state, task=task, power=power
    )
    return dataclasses.replace(server, **changes)  # type: ignore[arg-type]


def marked(code: str, ago_s: float = 5.0, since_ago_s: float = -1.0) -> Mark:
    since = NOW - (ago_s if since_ago_s < 0 else since_ago_s)
    return Mark(Code(code), "0a1b2c3d", NOW - ago_s, since, "active")


def did(
    ago_s: float, step: Step | None = None, begun_ago_s: float = 0.0
) -> Acted:
    begun = None if step is None else NOW - begun_ago_s
    return Acted(True, NOW - ago_s, step, begun)


def moved(
    kind: str, course: Course, status: str = "running", ago_s: float = 4.0
) -> Migration:
    return Migration(
        "m-uuid",
        7,
        "uuid",
        "edge-1",
        "edge-2",
        kind,
        status,
        course,
        "us",
        "ours",
        NOW - ago_s,
        NOW - ago_s,
    )


def standing(finding: Finding | None = None, **changes: object) -> Standing:
    one = Standing(finding or found(), ACTIVE, Lock.OURS, somewhere=True)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


LIVE = moved("live-migration", Course.UNDER_WAY)
LIVE_FAILED = moved("live-migration", Course.FAILED, "error")
COLD = moved("migration", Course.UNDER_WAY, "migrating")
COLD_FAILED = moved("migration", Course.FAILED, "error")
MISPLACED = found(Kind.MISPLACED)
SHORT = found(within_s=40.0)
INTEGRITY = found(axis=Axis.INTEGRITY)
WITHHELD = found(Kind.WITHHELD, Axis.INTEGRITY)
STOPPED = seen(VmState.STOPPED)

# name, standing, playbook, then of the answer: step, state, asks, code, why
ROWS: tuple[tuple[str, Standing, str, str], ...] = (
    # Locks.
    ("no lock yet", standing(lock=Lock.NONE), PLACE, "lock locked lock lock"),
    ("owner's", standing(lock=Lock.OWNER), PLACE, "lock locked lock lock"),
    ("forged", standing(lock=Lock.FORGED), PLACE, "lock locked lock lock"),
    (
        "unlocked by somebody",
        standing(lock=Lock.NONE, server=STOPPED),
        PLACE,
        "lock locked lock lock",
    ),
    (
        "nothing to be locked for",
        standing(found(Kind.OUTAGE), lock=Lock.NONE, somewhere=False),
        "alert",
        "alert held - - nowhere-to-go",
    ),
    # What nobody may touch.
    (
        "building",
        standing(server=seen(VmState.BUILDING, "spawning"), lock=Lock.NONE),
        PLACE,
        "lock locked lock lock",
    ),
    (
        "building, and locked",
        standing(
            server=seen(VmState.BUILDING, "spawning"), mark=marked("lock")
        ),
        PLACE,
        "live-migrate held - - busy",
    ),
    (
        "building, on no host yet",
        standing(server=seen(VmState.BUILDING, host=""), lock=Lock.NONE),
        PLACE,
        "live-migrate held - - busy",
    ),
    *(
        (
            f"{state.value} on a host: {name}",
            standing(server=seen(state), **how),
            words,
            expected,
        )
        for state in (
            VmState.UNKNOWN,
            VmState.DELETED,
            VmState.SHELVED_OFFLOADED,
        )
        for name, how, words, expected in (
            ("locked", {"lock": Lock.NONE}, WHOLE, "lock locked lock lock"),
            ("waits", {"mark": marked("lock")}, WHOLE, "stop held - - busy"),
            (
                "not halted",
                {"mark": marked("lock", 600)},
                WHOLE,
                "stop not-halted - -",
            ),
            (
                "switched off",
                {"mark": marked("lock", 600)},
                OFF,
                "power-off not-halted power-off power-off begins",
            ),
        )
    ),
    (
        "gone",
        standing(server=seen(VmState.DELETED, host=""), lock=Lock.NONE),
        WHOLE,
        "stop reported - -",
    ),
    # Locks that are undone.
    (
        "just locked",
        standing(lock=Lock.NONE, acted=did(1)),
        SECRET,
        "lock locked lock lock",
    ),
    (
        "its lock undone: locked again, and stopped with that",
        standing(lock=Lock.NONE, acted=did(10)),
        SECRET,
        "stop asked lock,os-stop stop begins",
    ),
    (
        "its mark overwritten while it stops",
        standing(
            lock=Lock.FORGED,
            server=seen(task="powering-off"),
            acted=did(20, Step.STOP, 10),
        ),
        SECRET,
        "lock asked lock stop",
    ),
    (
        "and swallows that",
        standing(
            lock=Lock.FORGED,
            server=seen(task="powering-off"),
            acted=did(99, Step.STOP, 61),
        ),
        SECRET,
        "lock not-halted lock stop",
    ),
    (
        "and there is another way",
        standing(
            INTEGRITY,
            lock=Lock.FORGED,
            server=seen(task="powering-off"),
            acted=did(99, Step.STOP, 61),
        ),
        OFF,
        "power-off asked lock,power-off power-off",
    ),
    (
        "its mark younger than what was asked",
        standing(mark=marked("stop", 1), acted=did(700, Step.STOP, 690)),
        WHOLE,
        "stop not-halted os-stop -",
    ),
    (
        "the same, and there is another way: its time is not anew",
        standing(
            INTEGRITY,
            mark=marked("stop", 1),
            server=seen(task="powering-off"),
            acted=did(99, Step.STOP, 61),
        ),
        OFF,
        "power-off asked power-off power-off",
    ),
    (
        "marked as locked after it had been stopped",
        standing(
            mark=marked("lock", 1),
            server=seen(task="powering-off"),
            acted=did(20, Step.STOP, 15),
        ),
        WHOLE,
        "stop asked - -",
    ),
    (
        "whose mark it is cannot be told",
        standing(lock=Lock.UNPROVEN, mark=marked("stop")),
        SECRET,
        "stop asked os-stop -",
    ),
    # The first step.
    (
        "move first",
        standing(mark=marked("lock")),
        PLACE,
        "live-migrate asked os-migrateLive live-migrate begins",
    ),
    (
        "stop first",
        standing(mark=marked("lock")),
        SECRET,
        "stop asked os-stop stop begins",
    ),
    (
        "paused",
        standing(mark=marked("lock"), server=seen(VmState.PAUSED)),
        SECRET,
        "stop asked unpause,os-stop stop begins",
    ),
    (
        "rescued",
        standing(mark=marked("lock"), server=seen(VmState.RESCUED)),
        PLACE,
        "live-migrate asked unrescue,os-migrateLive live-migrate begins",
    ),
    (
        "resized",
        standing(mark=marked("lock"), server=seen(VmState.RESIZED)),
        SECRET,
        "stop asked confirmResize,os-stop stop begins",
    ),
    (
        "resized from where it complies",
        standing(
            mark=marked("lock"),
            server=seen(VmState.RESIZED),
            revertible=True,
        ),
        SECRET,
        "stop asked revertResize stop begins",
    ),
    (
        "resized from where it complies, and its disk may not travel",
        standing(
            INTEGRITY,
            mark=marked("lock"),
            server=seen(VmState.RESIZED),
            revertible=True,
        ),
        WHOLE,
        "stop asked confirmResize,os-stop stop begins",
    ),
    (
        "error",
        standing(mark=marked("lock"), server=seen(VmState.ERROR)),
        PLACE,
        "cold-migrate asked os-stop cold-migrate begins",
    ),
    (
        "suspended is not woken to be moved",
        standing(mark=marked("lock"), server=seen(VmState.SUSPENDED)),
        PLACE,
        "stop reported - -",
    ),
    (
        "stopped already: moved cold",
        standing(mark=marked("lock"), server=STOPPED),
        PLACE,
        "cold-migrate asked migrate cold-migrate begins",
    ),
    (
        "stopped already, and nothing may travel",
        standing(INTEGRITY, mark=marked("lock"), server=STOPPED),
        WHOLE,
        "stop reported - -",
    ),
    (
        "another's task",
        standing(mark=marked("lock"), server=seen(task="rebooting")),
        PLACE,
        "live-migrate held - - busy",
    ),
    (
        "no room: halted",
        standing(mark=marked("lock"), somewhere=False),
        PLACE,
        "stop asked os-stop stop begins",
    ),
    (
        "only its place is wrong, and there is no other",
        standing(MISPLACED, mark=marked("lock"), somewhere=False),
        PLACE,
        "alert locked - - nowhere-to-go",
    ),
    (
        "the same where that halts",
        standing(
            found(Kind.MISPLACED, halt_nowhere=True),
            mark=marked("lock"),
            somewhere=False,
        ),
        PLACE,
        "stop asked os-stop stop begins",
    ),
    (
        "the host's service is down",
        standing(mark=marked("lock"), source_up=False),
        "lock cold-migrate stop",
        "stop asked os-stop stop begins",
    ),
    # Live migration.
    (
        "no trace: asked again, under the same mark",
        standing(mark=marked("live-migrate")),
        PLACE,
        "live-migrate asked os-migrateLive -",
    ),
    (
        "under way",
        standing(
            mark=marked("live-migrate"),
            server=seen(task="migrating"),
            migration=LIVE,
        ),
        PLACE,
        "live-migrate asked - -",
    ),
    (
        "begun, and not listed yet",
        standing(mark=marked("live-migrate"), server=seen(task="migrating")),
        PLACE,
        "live-migrate asked - -",
    ),
    (
        "failed",
        standing(mark=marked("live-migrate"), migration=LIVE_FAILED),
        PLACE,
        "cold-migrate asked migrate cold-migrate",
    ),
    (
        "never begun within its deadline",
        standing(mark=marked("live-migrate", 301)),
        PLACE,
        "cold-migrate asked migrate cold-migrate",
    ),
    (
        "too slow",
        standing(
            mark=marked("live-migrate", 301),
            server=seen(task="migrating"),
            migration=LIVE,
        ),
        PLACE,
        "live-migrate asked abort -",
    ),
    (
        "too slow, and too late to be aborted",
        standing(
            mark=marked("live-migrate", 301),
            server=seen(task="migrating"),
            migration=dataclasses.replace(LIVE, status="post-migrating"),
        ),
        PLACE,
        "live-migrate asked - -",
    ),
    (
        "misplaced, and kept by its host in what cannot be aborted",
        standing(
            MISPLACED,
            mark=marked("live-migrate", 301),
            server=seen(task="migrating"),
            migration=dataclasses.replace(LIVE, status="accepted"),
        ),
        PLACE,
        "alert locked - - no-step-left",
    ),
    (
        "too slow for its profile",
        standing(
            SHORT,
            mark=marked("live-migrate", 35),
            server=seen(task="migrating"),
            migration=LIVE,
        ),
        PLACE,
        "live-migrate asked abort -",
    ),
    (
        "time for nothing but a halt",
        standing(
            SHORT,
            mark=marked("live-migrate", 31),
            migration=dataclasses.replace(LIVE_FAILED, status="cancelled"),
        ),
        PLACE,
        "stop asked os-stop stop",
    ),
    (
        "arrived, and Nova has yet to say where",
        standing(
            mark=marked("live-migrate"),
            migration=moved("live-migration", Course.ARRIVED, "completed"),
        ),
        PLACE,
        "live-migrate asked - -",
    ),
    (
        "arrived where it may not be either",
        standing(
            mark=marked("live-migrate"),
            server=seen(host="edge-2"),
            migration=moved("live-migration", Course.ARRIVED, "completed"),
        ),
        PLACE,
        "cold-migrate asked migrate cold-migrate",
    ),
    # Cold migration.
    (
        "cold, under way",
        standing(
            mark=marked("cold-migrate"),
            server=seen(task="resize_migrating"),
            migration=COLD,
        ),
        PLACE,
        "cold-migrate asked - -",
    ),
    (
        "cold, failed",
        standing(mark=marked("cold-migrate"), migration=COLD_FAILED),
        PLACE,
        "stop asked os-stop stop",
    ),
    (
        "cold, failed, stopped before",
        standing(
            mark=marked("cold-migrate"),
            migration=COLD_FAILED,
            server=STOPPED,
        ),
        SECRET,
        "stop reported - -",
    ),
    (
        "the same, once more much later",
        standing(
            mark=marked("cold-migrate", AGAIN_S),
            migration=COLD_FAILED,
            server=STOPPED,
        ),
        SECRET,
        "cold-migrate asked migrate cold-migrate begins",
    ),
    (
        "misplaced, failed, much later",
        standing(MISPLACED, mark=marked("cold-migrate", AGAIN_S)),
        "lock live-migrate cold-migrate",
        "live-migrate asked os-migrateLive live-migrate begins",
    ),
    (
        "misplaced, no move succeeds",
        standing(MISPLACED, mark=marked("cold-migrate"),
                 migration=COLD_FAILED),
        "lock live-migrate cold-migrate",
        "alert locked - - no-step-left",
    ),
    (
        "of a playbook that is another by now",
        standing(MISPLACED, mark=marked("stop", 61)),
        "lock live-migrate cold-migrate",
        "live-migrate asked os-migrateLive live-migrate",
    ),
    # Stop.
    (
        "stopping",
        standing(mark=marked("stop"), server=seen(task="powering-off")),
        SECRET,
        "stop asked - -",
    ),
    (
        "not asked yet",
        standing(mark=marked("stop")),
        SECRET,
        "stop asked os-stop -",
    ),
    (
        "stopped: its disk is moved",
        standing(mark=marked("stop"), server=STOPPED),
        SECRET,
        "cold-migrate asked migrate cold-migrate",
    ),
    (
        "stopped, and nowhere to go",
        standing(mark=marked("stop"), server=STOPPED, somewhere=False),
        SECRET,
        "stop reported - -",
    ),
    (
        "stopped since there was no time: moved cold now",
        standing(
            mark=marked("stop"), server=STOPPED, migration=LIVE_FAILED
        ),
        PLACE,
        "cold-migrate asked migrate cold-migrate",
    ),
    (
        "stopped since that had failed",
        standing(
            mark=marked("stop"), server=STOPPED, migration=COLD_FAILED
        ),
        PLACE,
        "stop reported - -",
    ),
    (
        "swallowed",
        standing(mark=marked("stop", 61), server=seen(task="powering-off")),
        SECRET,
        "stop not-halted - -",
    ),
    (
        "refused by the host again and again",
        standing(mark=marked("stop", 61)),
        WHOLE,
        "stop not-halted os-stop -",
    ),
    (
        "swallowed, and there is another way",
        standing(
            INTEGRITY,
            mark=marked("stop", 61),
            server=seen(task="powering-off"),
        ),
        OFF,
        "power-off asked power-off power-off",
    ),
    (
        "halted too late: an alarm, whatever is done",
        standing(
            INTEGRITY,
            mark=marked("stop", 61, 601),
            server=seen(task="powering-off"),
        ),
        OFF,
        "power-off not-halted power-off power-off",
    ),
    # Power off, and what follows upon it.
    (
        "whom nobody believes is switched off though it says stopped",
        standing(INTEGRITY, mark=marked("stop"), server=STOPPED),
        "lock stop power-off",
        "power-off asked power-off power-off",
    ),
    (
        "so is one that fell silent",
        standing(WITHHELD, mark=marked("stop"), server=STOPPED),
        "lock stop power-off",
        "power-off asked power-off power-off",
    ),
    (
        "others are believed",
        standing(mark=marked("stop"), server=STOPPED),
        "lock stop power-off",
        "stop reported - -",
    ),
    (
        "not off yet",
        standing(INTEGRITY, mark=marked("power-off"),
                 server=seen(task="powering-off")),
        OFF,
        "power-off asked power-off -",
    ),
    (
        "not off in time",
        standing(INTEGRITY, mark=marked("power-off", 61),
                 server=seen(task="powering-off")),
        OFF,
        "power-off not-halted power-off -",
    ),
    (
        "off",
        standing(
            INTEGRITY,
            mark=marked("power-off"),
            server=seen(task="powering-off"),
            host_off=True,
        ),
        OFF,
        "rebuild-elsewhere asked force-down,evacuate rebuild-elsewhere",
    ),
    (
        "off, paused, and said to be down",
        standing(
            INTEGRITY,
            mark=marked("power-off"),
            server=seen(VmState.PAUSED),
            host_off=True,
            source_up=False,
        ),
        OFF,
        "rebuild-elsewhere asked os-resetState,evacuate rebuild-elsewhere",
    ),
    (
        "being rebuilt",
        standing(
            INTEGRITY,
            mark=marked("rebuild-elsewhere"),
            server=seen(task="rebuilding"),
            host_off=True,
        ),
        OFF,
        "rebuild-elsewhere asked - -",
    ),
    (
        "lost, and the host had swallowed a stop before",
        standing(
            INTEGRITY,
            mark=marked("rebuild-elsewhere"),
            server=seen(task="powering-off"),
            host_off=True,
            source_up=False,
        ),
        OFF,
        "rebuild-elsewhere asked evacuate -",
    ),
    (
        "off, and nothing else may be done",
        standing(INTEGRITY, mark=marked("power-off"), host_off=True),
        "lock stop power-off",
        "power-off confirmed - -",
    ),
    # An administrator's lock: no mark.
    (
        "kept, and halted at once",
        standing(lock=Lock.ADMINISTRATOR),
        PLACE,
        "stop asked os-stop - begins",
    ),
    (
        "its stop swallowed",
        standing(
            lock=Lock.ADMINISTRATOR,
            server=seen(task="powering-off", updated=NOW + 3600),
            acted=did(61, Step.STOP, 61),
        ),
        PLACE,
        "stop not-halted - -",
    ),
    (
        "its stop swallowed again and again",
        standing(
            lock=Lock.ADMINISTRATOR,
            server=seen(updated=NOW + 3600),
            acted=did(600, Step.STOP, 600),
        ),
        PLACE,
        "stop not-halted os-stop -",
    ),
    (
        "the same, and there is another way",
        standing(
            INTEGRITY,
            lock=Lock.ADMINISTRATOR,
            acted=did(61, Step.STOP, 61),
        ),
        OFF,
        "power-off asked power-off -",
    ),
    (
        "kept, and always busy",
        standing(
            lock=Lock.ADMINISTRATOR,
            server=seen(task="rebooting"),
            acted=Acted(True, seen=NOW - 661),
        ),
        PLACE,
        "stop not-halted - -",
    ),
    (
        "kept, and moved another way once it has been quiet",
        standing(
            MISPLACED,
            lock=Lock.ADMINISTRATOR,
            acted=dataclasses.replace(
                did(AGAIN_S, Step.LIVE_MIGRATE, AGAIN_S), moved=NOW - AGAIN_S
            ),
        ),
        PLACE,
        "cold-migrate asked migrate -",
    ),
    (
        "kept, and nothing was asked yet",
        standing(MISPLACED, lock=Lock.ADMINISTRATOR, acted=Acted(True)),
        PLACE,
        "live-migrate asked os-migrateLive - begins",
    ),
    (
        "kept, and moved just now",
        standing(
            MISPLACED,
            lock=Lock.ADMINISTRATOR,
            acted=dataclasses.replace(
                did(9, Step.LIVE_MIGRATE, 9), moved=NOW - 9
            ),
        ),
        "lock live-migrate cold-migrate",
        "alert locked - - no-step-left",
    ),
    (
        "kept, and whether it was moved cannot be read",
        standing(MISPLACED, lock=Lock.ADMINISTRATOR),
        "lock live-migrate cold-migrate",
        "alert locked - - no-step-left",
    ),
    # A host that is off: whatever Nova still shows is over.
    *(
        (
            f"off, and {code} recorded as under way",
            standing(
                mark=marked(code, 9, 900),
                server=seen(task=task),
                migration=move,
                host_off=True,
            ),
            PLACE,
            f"{code} confirmed - -",
        )
        for code, task, move in (
            ("live-migrate", "migrating", LIVE),
            ("cold-migrate", "resize_migrating", COLD),
            ("stop", "powering-off", None),
        )
    ),
)  # fmt: skip


def said(after: Next) -> str:
    words = [
        after.step.value,
        after.state.value,
        ",".join(ask.value for ask in after.asks) or "-",
        after.code or "-",
    ]
    if after.begins:
        words.append("begins")
    if after.why is not None:
        words.append(after.why.value)
    return " ".join(words)


class RowsTest(unittest.TestCase):
    def test_row_by_row(self) -> None:
        for name, one, words, expected in ROWS:
            with self.subTest(name):
                after = progress(one, playbook(words), NOW)
                self.assertEqual(expected, said(after))


class DeadlinesTest(unittest.TestCase):
    def test_the_profile_shortens_them_while_it_runs(self) -> None:
        asked = progress(
            standing(SHORT, mark=marked("lock")), playbook(PLACE), NOW
        )
        self.assertEqual(NOW - 5 + 30, asked.until)
        stopped = progress(
            standing(SHORT, mark=marked("stop"), server=STOPPED),
            playbook(SECRET),
            NOW,
        )
        self.assertEqual(NOW + 300, stopped.until)

    def test_they_are_the_operators(self) -> None:
        asked = progress(
            standing(mark=marked("lock")),
            playbook(PLACE),
            NOW,
            {Step.LIVE_MIGRATE: 30.0},
        )
        self.assertEqual(NOW + 30, asked.until)

    def test_a_mark_from_the_future_halts_no_later(self) -> None:
        mark = Mark(Code.LOCK, "0a1b2c3d", NOW + 9999, NOW + 9999, "active")
        after = progress(standing(SHORT, mark=mark), playbook(PLACE), NOW)
        self.assertLessEqual(after.until, NOW + 40)


PLAYBOOKS = st.sampled_from(
    (
        PLACE,
        SECRET,
        WHOLE,
        OFF,
        "lock stop power-off",
        "lock cold-migrate stop",
    )
).map(playbook)
FINDINGS = st.builds(
    found,
    st.sampled_from(
        (Kind.FAILED, Kind.CHANGED, Kind.WITHHELD, Kind.MISPLACED)
    ),
    st.sampled_from(Axis),
    st.sampled_from((10.0, 60.0, 600.0)),
    halt_nowhere=st.booleans(),
)
TASKS = ("", "migrating", "powering-off", "resize_migrating", "rebuilding")
MARKS = st.none() | st.builds(
    marked,
    st.sampled_from(
        ("lock", "live-migrate", "cold-migrate", "stop", "power-off",
         "evacuate", "rebuild-elsewhere")
    ),
    st.sampled_from((0.0, 5.0, 61.0, 301.0, 700.0)),
)  # fmt: skip
MOVES = st.none() | st.builds(
    moved,
    st.sampled_from(("live-migration", "migration", "resize", "evacuation")),
    st.sampled_from(Course),
    st.sampled_from(("running", "post-migrating", "error", "completed")),
)
STANDINGS = st.builds(
    Standing,
    FINDINGS,
    st.builds(
        seen,
        st.sampled_from(VmState),
        st.sampled_from(TASKS),
        power=st.sampled_from(Power),
    ),
    st.sampled_from(Lock),
    MARKS,
    MOVES,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.just(Acted())
    | st.builds(
        did,
        st.sampled_from((0.0, 5.0, 61.0, 700.0)),
        st.sampled_from(
            (None, Step.STOP, Step.LIVE_MIGRATE, Step.COLD_MIGRATE,
             Step.EVACUATE)
        ),
        st.sampled_from((0.0, 5.0, 61.0, 700.0)),
    ),
)  # fmt: skip
STEP_OF = {
    Ask.LIVE_MIGRATE: Step.LIVE_MIGRATE,
    Ask.MIGRATE: Step.COLD_MIGRATE,
    Ask.STOP: Step.STOP,
    Ask.EVACUATE: Step.EVACUATE,
}


def without_lock(after: Next) -> Next:
    """Return what follows once a lock is put back."""
    if after.asks[:1] != (Ask.LOCK,) or after.step is Step.LOCK:
        return after
    return dataclasses.replace(after, asks=after.asks[1:])


class AnyStandingTest(unittest.TestCase):
    @hypothesis.settings(max_examples=300)
    @hypothesis.given(STANDINGS, PLAYBOOKS)
    def test_nothing_is_asked_that_nova_refuses(
        self, one: Standing, steps: tuple[Step, ...]
    ) -> None:
        after = without_lock(progress(one, steps, NOW))
        for ask in after.asks:
            if ask in STEP_OF and after.asks[0] in (ask, Ask.FORCE_DOWN):
                allowed = possible(STEP_OF[ask], one.server)
                if ask is Ask.STOP and after.step is Step.COLD_MIGRATE:
                    self.assertIs(VmState.ERROR, one.server.vm_state)
                elif ask is after.asks[-1] and len(after.asks) == 1:
                    self.assertIs(Verdict.DO, allowed.verdict)
        own = possible(after.step, one.server).verdict
        if after.asks and after.asks != (Ask.ABORT,):
            self.assertIn(own, (Verdict.DO, Verdict.PRELUDE))

    @hypothesis.settings(max_examples=300)
    @hypothesis.given(STANDINGS, PLAYBOOKS)
    def test_what_is_asked_makes_sense(
        self, one: Standing, steps: tuple[Step, ...]
    ) -> None:
        after = progress(one, steps, NOW)
        if one.lock is Lock.ADMINISTRATOR:
            self.assertEqual("", after.code)
        if Ask.LIVE_MIGRATE in after.asks:
            self.assertTrue(one.server.runs and one.somewhere)
        if Ask.MIGRATE in after.asks:
            self.assertTrue(one.somewhere and one.source_up)
        if Ask.EVACUATE in after.asks:
            self.assertTrue(one.host_off)
        if Ask.POWER_OFF in after.asks:
            self.assertIn(Step.POWER_OFF, steps)
        if Ask.RESUME in after.asks or Ask.UNPAUSE in after.asks:
            self.assertTrue(one.server.runs)
        if after.begins:
            self.assertTrue(after.asks)
        kept = (Lock.OURS, Lock.UNPROVEN, Lock.ADMINISTRATOR)
        if after.step.disturbs and after.asks and Step.LOCK in steps:
            self.assertTrue(one.lock in kept or after.asks[0] is Ask.LOCK)
        if Ask.LOCK in after.asks:
            self.assertNotIn(one.lock, kept)
            self.assertTrue(after.code)
        if after.why is not None:
            self.assertEqual((), after.asks)


@dataclasses.dataclass
class Host:
    """A host that does what it is asked, or does not, and Nova before it."""

    live: str
    cold: str
    stop: str
    off: bool
    lost: frozenset[int]
    server: Server
    mark: Mark | None = None
    migration: Migration | None = None
    lock: Lock = Lock.NONE
    host_off: bool = False
    due: float = 0.0

    @property
    def gone(self) -> bool:
        return self.server.host == "edge-2"

    def take(self, after: Next, now: float, number: int) -> None:
        if after.code:
            since = now if self.mark is None else self.mark.since
            self.lock = Lock.OURS
            self.mark = Mark(Code(after.code), "0a1b2c3d", now, since, "x")
        if number in self.lost:
            return
        for ask in after.asks:
            self._ask(ask, now)

    def _ask(self, ask: Ask, now: float) -> None:
        if ask is Ask.LIVE_MIGRATE and self.live != "lost":
            self._begin("live-migration", "migrating", now)
        elif ask is Ask.MIGRATE and self.cold != "lost":
            self._begin("migration", "resize_migrating", now)
        elif ask is Ask.EVACUATE:
            self._begin("evacuation", "rebuilding", now)
        elif ask is Ask.ABORT:
            self._end(Course.FAILED)
        elif ask is Ask.STOP and self.stop != "refused":
            self._change(task="powering-off")
            self.due = now + 10
        elif ask is Ask.UNPAUSE:
            self._change(vm_state=VmState.ACTIVE, power=Power.RUNNING)
        elif ask is Ask.POWER_OFF:
            self.host_off = self.off

    def _change(self, **changes: object) -> None:
        self.server = dataclasses.replace(
            self.server,
            **changes,  # type: ignore[arg-type]
        )

    def _begin(self, kind: str, task: str, now: float) -> None:
        self._change(task=task)
        one = moved(kind, Course.UNDER_WAY)
        self.migration = dataclasses.replace(one, created=now)
        self.due = now + 20

    def _end(self, course: Course) -> None:
        assert self.migration is not None
        self.migration = dataclasses.replace(self.migration, course=course)
        self._change(task="")
        if course is Course.ARRIVED:
            self._change(host="edge-2")

    def pass_time(self, now: float) -> None:
        """Let what was asked come to its end, if it does."""
        if not self.server.task or now < self.due:
            return
        if self.server.task == "powering-off":
            if self.stop == "works":
                self._change(
                    task="", vm_state=VmState.STOPPED, power=Power.SHUTDOWN
                )
            return
        works = {
            "migrating": self.live,
            "resize_migrating": self.cold,
            "rebuilding": "works",
        }[self.server.task]
        if works == "works":
            self._end(Course.ARRIVED)
        elif works == "fails":
            self._end(Course.FAILED)


HOSTS = st.builds(
    Host,
    st.sampled_from(("works", "fails", "hangs", "lost")),
    st.sampled_from(("works", "fails", "hangs", "lost")),
    st.sampled_from(("works", "swallowed", "refused")),
    st.booleans(),
    st.frozensets(st.integers(0, 8)),
    st.sampled_from((seen(), seen(VmState.PAUSED))),
)
TICK_S = 5.0


class ItEndsTest(unittest.TestCase):
    @hypothesis.settings(max_examples=100, deadline=None)
    @hypothesis.given(HOSTS, FINDINGS, PLAYBOOKS, st.booleans())
    def test_gone_or_halted_or_an_alarm(
        self,
        host: Host,
        finding: Finding,
        steps: tuple[Step, ...],
        somewhere: bool,
    ) -> None:
        # Hypothesis shows an argument as it was: work on another one.
        host = dataclasses.replace(host)
        finding = dataclasses.replace(finding, kind=Kind.FAILED, evicts=True)
        now = NOW
        for number in range(250):
            host.pass_time(now)
            if host.gone:
                return
            after = progress(
                Standing(
                    finding,
                    host.server,
                    host.lock,
                    host.mark,
                    host.migration,
                    somewhere,
                    host_off=host.host_off,
                ),
                steps,
                now,
            )
            halted = host.host_off or not host.server.runs
            if host.mark is not None:
                halt_by = host.mark.since + finding.conduct.halt_within_s
                if now >= halt_by and not halted:
                    self.assertIs(State.NOT_HALTED, after.state)
            asked = after.asks and after.step is not Step.LOCK
            idle = host.server.task in ("", "powering-off")
            if halted and not asked and idle:
                self.assertIn(after.state, (State.REPORTED, State.CONFIRMED))
                return
            host.take(after, now, number)
            now += TICK_S
        self.assertGreater(now - NOW, finding.conduct.halt_within_s)
        if not halted:
            self.assertIs(State.NOT_HALTED, after.state)

    @hypothesis.settings(max_examples=100, deadline=None)
    @hypothesis.given(HOSTS, PLAYBOOKS, st.sampled_from((40.0, 120.0, 600.0)))
    def test_where_stop_works_it_is_halted_in_time(
        self, host: Host, steps: tuple[Step, ...], within_s: float
    ) -> None:
        hypothesis.assume(host.cold != "hangs")
        host = dataclasses.replace(host, stop="works", lost=frozenset())
        finding = found(within_s=within_s)
        now = NOW
        while host.server.runs and not host.gone and not host.host_off:
            # A cold migration that has begun cannot be aborted.
            self.assertLess(now, NOW + within_s + 2 * TICK_S + 20)
            one = Standing(
                finding,
                host.server,
                host.lock,
                host.mark,
                host.migration,
                somewhere=True,
            )
            host.take(progress(one, steps, now), now, 99)
            now += TICK_S
            host.pass_time(now)
