# SPDX-License-Identifier: Apache-2.0
"""A simulated Nova, Placement and Keystone, over HTTP on this machine.

For what the real ones in ``tests.cloud`` cannot: 10,000 hosts with 100,000
servers, a latency for each call, counts of calls, and faults.  Paths, shapes
and conflicts are those of Nova 34 and of Placement 1.39, as far as the
monitor meets them::

    with SimulatedCloud(hosts=3, servers=10, latency_s=0.02) as sim:
        sim.fail("POST", "action", status=500, times=1)
        ...
        assert sim.calls["GET compute/servers/detail"] == 2
"""
