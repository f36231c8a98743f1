# SPDX-License-Identifier: Apache-2.0
"""What there is to look at, each thing read once and when it is asked for.

Reads files, has servers asked where a check needs it, and writes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib

from nfv_mla_scheduler.conf import ResultsFrom
from nfv_mla_scheduler.doctor import files
from nfv_mla_scheduler.doctor import glass
from nfv_mla_scheduler.doctor import nova_hosts
from nfv_mla_scheduler.doctor.access import ROOT_UID
from nfv_mla_scheduler.doctor.contacts import Contacts
from nfv_mla_scheduler.doctor.findings import Skipped
from nfv_mla_scheduler.doctor.nova_conf import NovaOptions
from nfv_mla_scheduler.doctor.nova_conf import nova_options
from nfv_mla_scheduler.doctor.once import once
from nfv_mla_scheduler.doctor.rules import Rules
from nfv_mla_scheduler.doctor.rules import api_rules
from nfv_mla_scheduler.doctor.services import NOVA
from nfv_mla_scheduler.doctor.services import Services
from nfv_mla_scheduler.doctor.side import Paths
from nfv_mla_scheduler.doctor.side import read
from nfv_mla_scheduler.errors import NfvMlaError
from nfv_mla_scheduler.feed.ourselves import own_state
from nfv_mla_scheduler.model import Instant
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results import view
from nfv_mla_scheduler.results.document import Loader
from nfv_mla_scheduler.results.values import ResultsDocument
from nfv_mla_scheduler.standard.catalogue import load

MOUNTINFO = pathlib.Path("/proc/self/mountinfo")
LOCKS = pathlib.Path("/proc/locks")


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """What the doctor is given.

    Configurations are files, or directories of ``*.conf``, in the order in
    which the service reads them; none: there is no such service here.

    :ivar nova_hosts: a list of Nova's hosts; None: not known
    :ivar status_file: what the collector says of itself; None: as the
        configuration has it
    :ivar mountinfo: which file systems there are
    :ivar locks: which locks are held
    :ivar administrator: the number of the account to which the machine
        belongs
    """

    now: Instant
    scheduler: Paths = ()
    conductor: Paths = ()
    api: Paths = ()
    collector: Paths = ()
    nova_hosts: pathlib.Path | None = None
    status_file: pathlib.Path | None = None
    mountinfo: pathlib.Path = MOUNTINFO
    locks: pathlib.Path = LOCKS
    administrator: int = ROOT_UID


class Site(Services):
    """Everything that the checks look at."""

    def __init__(self, inputs: Inputs) -> None:
        super().__init__(inputs.scheduler, inputs.collector, inputs.now)
        self.inputs = inputs
        self.contacts = Contacts(self, inputs.status_file)

    @once
    def nova(self) -> NovaOptions:
        """What the scheduler reads of Nova's own options."""
        return nova_options(self.scheduler.conf)

    @once
    def conductor(self) -> NovaOptions:
        """What the conductor reads of them."""
        if not self.inputs.conductor:
            raise Skipped("no configuration of nova-conductor is given")
        return nova_options(files.load(self.inputs.conductor, NOVA))

    @once
    def rules(self) -> Rules:
        """The rules of nova-api."""
        if not self.inputs.api:
            raise Skipped("no configuration of nova-api is given")
        return api_rules(files.load(self.inputs.api, NOVA))

    @once
    def nova_hosts(self) -> tuple[nova_hosts.NovaHost, ...]:
        """The hosts that Nova has.

        :raises NfvMlaError: when the list cannot be read
        """
        path = self.inputs.nova_hosts
        if path is None:
            raise Skipped("Nova's hosts are not known; give --nova-hosts")
        data = read(path, nova_hosts.BYTES_MAX)
        try:
            return nova_hosts.read_hosts(data)
        except nova_hosts.NotAList as exc:
            raise nova_hosts.NotAList(f"{path}: {exc}") from None

    @property
    def policy(self) -> Policy:
        """The policy that the main service goes by."""
        return self.main.policy

    @once
    def break_glass(self) -> glass.Glass:
        """The break-glass waivers."""
        directory = self.main.settings.break_glass_dir
        if directory is None:
            raise Skipped("break_glass_dir is not set")
        return glass.look(directory, self.main.root, self.now)

    @once
    def document(self) -> ResultsDocument:
        """The results, verified.

        :raises ResultsRefused: when they are refused as a whole
        :raises Unreadable: when they cannot be got
        """
        settings, policy = self.main.settings, self.policy
        if self.results_from is ResultsFrom.EMBEDDED:
            return self.contacts.collect(policy)
        return Loader(settings.results_max_bytes).read(
            self.results_bytes,
            policy.collectors,
            policy.authorities,
            load(),
            policy.regions,
            now=self.now,
            max_skew_s=settings.max_skew_s,
        )

    @once
    def results(self) -> ResultsDocument:
        """The same, for checks that say nothing when they are refused."""
        try:
            return self.document
        except (NfvMlaError, Skipped):
            raise Skipped(
                "no results count here; see results.source and "
                "results.verified"
            ) from None

    @once
    def results_bytes(self) -> bytes:
        """The results document, wherever it comes from.

        :raises Unreadable: when it cannot be got
        """
        if self.results_from is ResultsFrom.EMBEDDED:
            raise Skipped("results = embedded: there is no document")
        if self.results_from is ResultsFrom.HTTPS:
            return self.contacts.served.body
        path = self._results_file
        if path is None:
            raise Skipped("results_file is not set")
        return read(path, self.main.settings.results_max_bytes)

    @property
    def results_place(self) -> str:
        """Where the results document is, for people."""
        if self.results_from is ResultsFrom.HTTPS:
            return str(self.main.settings.results_url)
        return str(self._results_file)

    @property
    def _results_file(self) -> pathlib.Path | None:
        if self.main is self.collector:
            return self.collector_settings.results_file
        return self.main.settings.results_file

    @once
    def snapshot(self) -> view.Snapshot:
        """What the judge would know now, with results or without."""
        document = None
        with contextlib.suppress(Skipped):
            document = self.results
        return view.merge(
            view.empty(load()), self.policy, document, own_state()
        )
