# SPDX-License-Identifier: Apache-2.0
"""Servers and projects that nobody is told about (5.0.3).

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot


def sealed_servers(
    snapshot: Snapshot, picture: Picture | None
) -> Mapping[str, str]:
    """Return the servers of trust domains that keep their entries sealed.

    :returns: server's UUID -> its trust domain, which alone may read of it
    """
    projects = sealed_projects(snapshot.policy)
    if not projects or picture is None:
        return {}
    return {
        uuid: projects[server.project_id]
        for uuid, server in picture.servers.items()
        if server.project_id in projects
    }


def sealed_projects(policy: Policy | None) -> Mapping[str, str]:
    """Return the projects whose servers nobody is told about (5.0.3).

    :returns: project -> its trust domain
    """
    if policy is None:
        return {}
    return {
        name: project.trust_domain
        for name, project in policy.projects.items()
        if project.trust_domain is not None
        and policy.trust_domains.get(project.trust_domain) is not None
    }


def sealed_domains(policy: Policy | None) -> frozenset[str]:
    """Return the trust domains that keep their entries sealed."""
    if policy is None:
        return frozenset()
    return frozenset(
        name for name, key in policy.trust_domains.items() if key is not None
    )
