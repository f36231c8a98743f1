# SPDX-License-Identifier: Apache-2.0
"""Keep the data centre up, for the ``openstack`` client and an editor.

What the authorities say and the policy are files that may be changed; what our
scheduler says of it is printed as it comes.
"""

from __future__ import annotations

import contextlib
import shlex
import time
import typing as ty

from demo import world
from demo.centre import DataCentre
from demo.interrupts import INTERRUPTS
from demo.screen import Screen
from tests.cloud import description as desc
from tests.cloud.site import COLLECTOR_KEY
from tests.cloud.site import OFFICERS

_POLL_S = 0.2
# The first that knows scheduler hints of servers.
_MICROVERSION = "2.100"

_TRY = """\
D={d}
boot() {{ openstack server create --nic none --wait -c name -c status "$@"; }}

source $D/office.rc
boot tap --flavor interception --image vnf
boot bare --flavor interception-bare --image vnf
hint="--hint nfv_mla:location.jurisdiction"
boot bad --flavor plain --image plain $hint=Hesse
openstack server show bad -c status -c fault

source $D/core.rc
boot hss --flavor subscribers --image vnf

source $D/keys.rc
boot vault --flavor key-store --image vnf

source $D/web.rc
boot shop --flavor plain --image plain
boot mall --flavor huge --image plain

source $D/admin.rc
openstack server list --all-projects --long -c Name -c Status -c Host
id() {{ openstack server list --all-projects --name "^$1$" -f value -c ID; }}
openstack server migrate --live-migration --host zrh-1 $(id hss)
openstack server migrate --live-migration --host fra-2 $(id hss)
openstack server migrate --host par-1 $(id tap)
openstack server event list $(id tap)
openstack server migration list -c Type -c 'Dest Node' -c Status"""

_WATCH = """\
edit $D/keylime-dc/attesters.yaml       # or $D/veraison-police/...
tail -f $D/collector.log
nfv-mla collector status --status-file $D/collector-status.json
nfv-mla audit follow $D/audit
nfv-mla audit verify $D/audit --key $D/audit.pub"""

_MONITOR = """\
nfv-mla monitor status --config-file $D/monitor.conf
tail -f $D/monitor.log
nfv-mla monitor pause --for 1h --reason "my own" --config-file $D/monitor.conf
nfv-mla monitor pause --end --config-file $D/monitor.conf
ls $D/power                             # its power-off HOST leaves a file"""

_POLICY = """\
nfv-mla policy show $D/policy.json
cp $D/policy.yaml $D/mine.yaml
edit $D/mine.yaml                       # and raise its version
nfv-mla policy sign $D/mine.yaml --key $D/alice.key
nfv-mla policy sign $D/mine.json --key $D/bob.key
nfv-mla policy diff $D/policy.json $D/mine.json
mv $D/mine.json $D/policy.json"""


def serve(centre: DataCentre, screen: Screen) -> None:
    """Stay up until interrupted; then return."""
    _make_all_flavors(centre)
    _write_files(centre)
    if centre.filtered:
        centre.monitor.start()
    _explain(centre, screen)
    with contextlib.suppress(KeyboardInterrupt):
        _follow_log(centre, screen)


def _follow_log(centre: DataCentre, screen: Screen) -> ty.NoReturn:
    told = len(centre.cloud.our_log.lines())
    while True:
        lines = centre.cloud.our_log.lines()
        for line in lines[told:]:
            screen.line(f"{time.strftime('%H:%M:%S')} {line}")
        told = len(lines)
        INTERRUPTS.sleep(_POLL_S)


def _make_all_flavors(centre: DataCentre) -> None:
    for name in world.FLAVORS:
        centre.flavor(name)


def _write_files(centre: DataCentre) -> None:
    """Write what may be edited, and what the client reads."""
    site = centre.site
    text = world.policy(time.time(), version=centre.next_version())
    text = text.replace(COLLECTOR_KEY, site.collector_key())
    (site.directory / "policy.yaml").write_text(text, encoding="utf-8")
    site.put_policy(text)
    for user in world.USERS:
        lines = [f"export {k}={shlex.quote(v)}" for k, v in _env(centre, user)]
        rc = site.directory / f"{user.name}.rc"
        rc.write_text("\n".join((*lines, "")), encoding="utf-8")


def _env(centre: DataCentre, user: desc.User) -> list[tuple[str, str]]:
    variables = centre.cloud.environment(user)
    variables["OS_COMPUTE_API_VERSION"] = _MICROVERSION
    return sorted(variables.items())


def _explain(centre: DataCentre, screen: Screen) -> None:
    directory = centre.site.directory
    screen.heading("Nova is up until you press Ctrl-C", centre.cloud.url)
    screen.text(
        "Here are an administrator and a tenant for the openstack client; the "
        f"passwords are the names. Others: {directory}/*.rc, of "
        f"{', '.join(user.name for user in world.USERS)}.",
        indent=2,
    )
    for user in (world.ADMIN, world.OFFICE):
        screen.line(f"\n# {user.name}, in project {user.project}")
        for key, value in _env(centre, user):
            screen.line(f"export {key}={shlex.quote(value)}")
    screen.heading("Some commands to try")
    screen.line(_TRY.format(d=directory))
    screen.heading("Change what is known of the hosts, and watch")
    screen.line(_WATCH)
    if centre.monitor.runs:
        screen.heading("See what the monitor does about it, and have a say")
        screen.line(_MONITOR)
    screen.heading(f"Change the policy; {' and '.join(OFFICERS)} have to sign")
    screen.line(_POLICY)
    screen.heading("What our scheduler says")
