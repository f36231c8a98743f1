# SPDX-License-Identifier: Apache-2.0
"""A process of its own in which what we depend on breaks; see test_safety.

Loads Nova once, then forks a child for each library that breaks, and prints
one JSON object with what each of them saw.
"""

from __future__ import annotations

import builtins
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"

from nova import monkey_patch

monkey_patch.patch(backend="threading")

import nova.conf  # noqa: E402
from nova import exception  # noqa: E402
from nova import objects  # noqa: E402
from nova.scheduler import host_manager  # noqa: E402

OURS = "nfv_mla_scheduler"
RETRY_S = 0.2
TPM = {"nfv_mla:capability.tpm": "hardware"}
Json = dict[str, Any]


class Imports:
    """Notes what we import, and breaks one library, for us alone."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.ours: set[str] = set()
        self._import: Callable[..., Any] = builtins.__import__
        builtins.__import__ = self._hook

    def _hook(
        self,
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        importer = str((globals or {}).get("__name__", ""))
        if importer.split(".")[0] == OURS and not level:
            top = name.split(".")[0]
            self.ours.add(top)
            if top == self.broken:
                raise ImportError(f"no {top} today", name=name)
        return self._import(name, globals, locals, fromlist, level)


def manager() -> host_manager.HostManager:
    """Return what nova-scheduler makes in its parent process."""
    none = mock.Mock()
    with mock.patch.multiple(
        host_manager.HostManager,
        refresh_cells_caches=none,
        _init_aggregates=none,
        _init_instance_info=none,
    ):
        return host_manager.HostManager()


def state(host: str, uuid: str) -> host_manager.HostState:
    found = host_manager.HostState(host, host, "cell")
    found.uuid = uuid
    return found


def spec(extra_specs: dict[str, str]) -> objects.RequestSpec:
    return objects.RequestSpec(
        project_id="0" * 32,
        instance_uuid="11111111-1111-4111-8111-111111111111",
        num_instances=1,
        flavor=objects.Flavor(extra_specs=extra_specs),
        image=None,
        scheduler_hints={},
        ignore_hosts=None,
        force_hosts=None,
        force_nodes=None,
        requested_destination=None,
    )


def validated(name: str, value: str) -> bool:
    """Whether nova-api, which loads our validators now, takes a flavor."""
    from nova.api.validation.extra_specs import validators

    try:
        validators.validate(name, value)
    except exception.ValidationError:
        return False
    return True


def child(
    broken: str, conf_file: str, host: str, uuid: str, owned: str
) -> Json:
    """Do what nova-scheduler and nova-api do, with ``broken`` broken."""
    imports = Imports(broken)
    conf = nova.conf.CONF
    conf([], project="nova", default_config_files=[conf_file])
    here = manager()
    validated("hw:cpu_policy", "shared")
    at_start = sorted(imports.ours)
    example = validated("nfv_mla:capability.tpm", "hardware")
    wrong = validated("nfv_mla:max_age", "soon")

    from nfv_mla_scheduler.scheduler import worker

    worker.RETRY_S = RETRY_S
    # one that complies, and one of somebody else's pool
    hosts = [state(host, uuid), state(owned, "")]

    def left(extra_specs: dict[str, str]) -> int:
        # what the scheduler's manager calls
        return len(here.get_filtered_hosts(hosts, spec(extra_specs), 0))

    asked = left(TPM)
    plain = left({})
    # where there never was a policy
    state_dir = conf.nfv_mla.state_dir
    conf.set_override("state_dir", f"{state_dir}-none", group="nfv_mla")
    never = left({})
    conf.set_override("without_policy", "refuse_all", group="nfv_mla")
    strict = left({})
    conf.clear_override("without_policy", group="nfv_mla")
    conf.clear_override("state_dir", group="nfv_mla")
    imports.broken = ""
    end = time.monotonic() + 20 * RETRY_S
    mended = 0
    while not mended and time.monotonic() < end:
        time.sleep(0.02)
        mended = left(TPM)
    return {
        "filters": [type(f).__name__ for f in here.enabled_filters],
        "at start": at_start,
        "example": example,
        "wrong": wrong,
        "asks": asked,
        "plain": plain,
        "plain, never a policy": never,
        "plain, strict": strict,
        "mended": mended,
    }


def main(
    conf_file: str, host: str, uuid: str, owned: str, libraries: list[str]
) -> None:
    objects.register_all()
    conf = nova.conf.CONF
    conf.set_override(
        "available_filters",
        ["nfv_mla_scheduler.scheduler.filters.all_filters"],
        group="filter_scheduler",
    )
    conf.set_override(
        "enabled_filters", ["NfvMlaFilter"], group="filter_scheduler"
    )
    conf.set_override(
        "weight_classes",
        ["nfv_mla_scheduler.scheduler.weighers.all_weighers"],
        group="filter_scheduler",
    )
    found = {}
    for library in libraries:
        readable, writable = os.pipe()
        pid = os.fork()
        if not pid:
            with os.fdopen(writable, "w") as answers:
                seen = child(library, conf_file, host, uuid, owned)
                json.dump(seen, answers)
            os._exit(0)
        os.close(writable)
        with os.fdopen(readable) as answers:
            text = answers.read()
        os.waitpid(pid, 0)
        found[library] = json.loads(text) if text else None
    print(json.dumps(found))


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[3]))
    main(*sys.argv[1:5], sys.argv[5:])
