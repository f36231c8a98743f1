# SPDX-License-Identifier: Apache-2.0
"""Servers and projects that nobody is told about (5.0.3).

Pure.
"""

from __future__ import annotations

from nfv_mla_scheduler.monitor.picture import Picture
from nfv_mla_scheduler.policy.values import Policy
from nfv_mla_scheduler.results.view import Snapshot


def sealed_servers(
    snapshot: Snapshot, picture: Picture | None
) -> frozenset[str]:
    """Return the servers of trust domains that keep their entries sealed."""
    projects = sealed_projects(snapshot.policy)
    if not projects or picture is None:
        return frozenset()
    return frozenset(
        uuid
        for uuid, server in picture.servers.items()
        if server.project_id in projects
    )


def sealed_projects(policy: Policy | None) -> frozenset[str]:
    """Return the projects whose servers nobody is told about (5.0.3)."""
    if policy is None:
        return frozenset()
    return frozenset(
        name
        for name, project in policy.projects.items()
        if project.trust_domain is not None
        and policy.trust_domains.get(project.trust_domain) is not None
    )
