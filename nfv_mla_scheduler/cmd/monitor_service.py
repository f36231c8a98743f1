# SPDX-License-Identifier: Apache-2.0
"""``nfv-mla-monitor``: the process that looks, judges and acts.

Exit status: 0 stopped by a signal, all is well with ``--check``, or with
``--once``; 1 it cannot start, or ``--once`` found something or failed; 2
wrong usage.  An error at the start is one line on standard error; everything
later goes to the log.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from collections.abc import Sequence

import cotyledon
from cotyledon.types import WorkerId
from oslo_config import cfg
from oslo_log import log as logging

from nfv_mla_scheduler.cmd import process
from nfv_mla_scheduler.cmd.monitor_conf import NO_FILE
from nfv_mla_scheduler.cmd.monitor_conf import PROGRAM
from nfv_mla_scheduler.cmd.monitor_conf import PROJECT
from nfv_mla_scheduler.cmd.monitor_conf import USUAL
from nfv_mla_scheduler.cmd.monitor_conf import usual_files
from nfv_mla_scheduler.errors import LINE_MAX
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.errors import SettingsError
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.monitor import checking
from nfv_mla_scheduler.monitor import parts
from nfv_mla_scheduler.monitor import service
from nfv_mla_scheduler.monitor.cycle_report import CycleReport
from nfv_mla_scheduler.monitor.cycle_report import well
from nfv_mla_scheduler.monitor.place import Place
from nfv_mla_scheduler.monitor.reporting.changes import Topic
from nfv_mla_scheduler.monitor.reporting.lines import TOPICS
from nfv_mla_scheduler.monitor.reporting.telling import standings

# All that is to end does so by itself in less.
STOP_S = 4
LINES_MAX = 40

LOG = logging.getLogger(__name__)

_CHECK = cfg.BoolOpt(
    "check",
    default=False,
    help="Only say whether options, keys and policy can be used. Asks nobody, "
    "and changes nothing.",
)
_ONCE = cfg.BoolOpt(
    "once",
    default=False,
    help="Run one whole cycle, print what it found, and end.",
)
_DRY_RUN = cfg.BoolOpt(
    "dry-run",
    default=False,
    help="Act on nothing, traits neither; say what would be done.",
)


class Options:
    """What was read last and can be used; kept by the first process.

    A worker that ends for another reason than SIGHUP begins anew with the
    same, whatever somebody is writing into the files.

    :ivar found: what they come to
    :ivar conf: the options themselves
    """

    def __init__(
        self, words: Sequence[str], found: parts.Parts, conf: cfg.ConfigOpts
    ) -> None:
        self._words = words
        self.found = found
        self.conf = conf

    def reread(self) -> None:
        """Read options and keys again; those that are no good are not kept."""
        conf = cfg.ConfigOpts()
        try:
            _read_options(conf, self._words)
            found = parts.read(conf)
            checking.check_reach(found, conf)
            if found.common.state_dir != self.found.common.state_dir:
                raise SettingsError(
                    "[nfv_mla] state_dir: another one needs a restart"
                )
        except process.EXPECTED as exc:
            LOG.error(
                "nfv-mla monitor: goes on with the options of before: %s",
                process.reason(exc),
            )
        else:
            self.found, self.conf = found, conf


class Shell(cotyledon.Service):
    """The one worker; made in its own process, after the fork."""

    name = "monitor"

    def __init__(self, worker_id: WorkerId, options: Options) -> None:
        super().__init__(worker_id)
        self._options = options
        self._monitor: service.Service | None = None

    def run(self) -> None:
        """Start the monitor; its threads go on."""
        found, conf = self._options.found, self._options.conf
        try:
            self._monitor = service.Service(found, conf, _dry(conf))
            self._monitor.start()
        except NfvMlaError as exc:
            LOG.critical("nfv-mla monitor: cannot start: %s", exc)
            # cotyledon tries again, and not too often
            sys.exit(process.FAILED)
        act = found.settings.act.value
        dry = "a dry run: would act on" if conf.dry_run else "acts on"
        LOG.info("nfv-mla monitor: runs, %s %s", dry, act)

    def terminate(self) -> None:
        """End the monitor; in some seconds at most."""
        LOG.info("nfv-mla monitor: stops")
        if self._monitor is not None:
            self._monitor.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a monitor, and return its exit status; nothing is raised."""
    words = sys.argv[1:] if argv is None else list(argv)
    return process.guarded(PROGRAM, lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    conf = cfg.ConfigOpts()
    _read_options(conf, words)
    if not conf.config_file and not conf.config_dir:
        raise SettingsError(NO_FILE)
    found = parts.read(conf)
    if conf.check:
        return _all_is_well(found, conf)
    if conf.once:
        # What was found is printed.
        conf.set_default("use_stderr", True)
    logging.setup(conf, PROJECT)
    place = Place(found.common.state_dir)
    try:
        if conf.once:
            return _run_once(found, conf)
        checking.check_reach(found, conf)
        return _serve(Options(words, found, conf))
    finally:
        place.release()


def report_lines(report: CycleReport, dry_run: bool) -> Iterator[str]:
    """Yield what one cycle found, and what it did or would do."""
    known = standings(report, dry_run)
    picture = report.picture
    if picture is None:
        yield "the cloud: was not seen"
    else:
        some = "; some of it is out of sight" if picture.missing else ""
        yield (
            f"the cloud: {len(picture.nodes)} hosts and "
            f"{len(picture.servers) - len(report.sealed)} servers{some}"
        )
    for topic in Topic:
        said = {} if TOPICS[topic].begins is None else known.get(topic, {})
        for name in sorted(said)[:LINES_MAX]:
            yield f"{topic.value}: {name}: {said[name].text}"
        if len(said) > LINES_MAX:
            yield f"{topic.value}: and {len(said) - LINES_MAX} more"
    for outcome in report.outcomes[:LINES_MAX]:
        if outcome.sealed or outcome.subject in report.sealed:
            continue
        step = outcome.step.value if outcome.step else "release or trait"
        text = f", {outcome.text}" if outcome.text else ""
        yield f"{step}: {outcome.subject}: {outcome.code.value}{text}"


def _dry(conf: cfg.ConfigOpts) -> bool:
    return bool(conf.dry_run)


def _read_options(conf: cfg.ConfigOpts, words: Sequence[str]) -> None:
    logging.register_options(conf)
    conf.register_cli_opts([_CHECK, _ONCE, _DRY_RUN])
    parts.register(conf)
    conf(
        words,
        project=PROJECT,
        prog=PROGRAM,
        version=process.version(),
        default_config_files=usual_files(),
        description="Looks which servers are where they should not be, and "
        "moves or halts them as the policy says, as far as [monitor] act "
        f"allows. Without --config-file it reads {USUAL}.",
        epilog="Exit status: 0 stopped by a signal; with --check, all can be "
        "used; with --once, nothing was found. 1 it cannot start, or --once "
        "found something or failed. 2 wrong usage.",
    )


def _serve(options: Options) -> int:
    """Run until a signal asks to stop."""
    # What is passed on cannot be pickled.
    shell = cotyledon.ServiceManager(
        graceful_shutdown_timeout=STOP_S,
        mp_context=multiprocessing.get_context("fork"),
    )
    shell.add(Shell, workers=1, args=(options,))
    shell.register_hooks(on_reload=options.reread)
    shell.run()
    return 0


def _run_once(found: parts.Parts, conf: cfg.ConfigOpts) -> int:
    monitor = service.Service(found, conf, _dry(conf))
    try:
        report = monitor.once()
    finally:
        monitor.stop()
    for line in report_lines(report, _dry(conf)):
        print(bounded(line, LINE_MAX))
    if well(report):
        print(f"{PROGRAM}: all is well")
        return 0
    return process.FAILED


def _all_is_well(found: parts.Parts, conf: cfg.ConfigOpts) -> int:
    for odd in checking.check(found, conf):
        print(f"{PROGRAM}: {bounded(odd, LINE_MAX)}", file=sys.stderr)
    print(
        f"{PROGRAM}: options, keys and policy can be used; acts on "
        f"{found.settings.act.value}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
