# SPDX-License-Identifier: Apache-2.0
"""A real Nova with Placement in one process, for functional tests and demo.

API, conductor, scheduler, computes and Placement come from Nova's published
fixtures; a virt driver of ours stands in for hypervisors.  The APIs are
served over HTTP on loopback, with as much of Keystone and Glance as clients
need.  Operations are complete when the API answers.

    description.Description   what a cloud consists of: computes, filters,
        weighers, configuration of any group, images, users, policy rules.
        UUIDs and project ids follow from names, and can be signed before.
    cloud.Cloud(description, port=0)   a fixture; ``start()``/``stop()`` and
        ``with`` elsewhere.  Has ``client(user)``, ``environment(user)`` (the
        OS_* variables), ``endpoints``, ``driver(host)``, ``our_log``,
        ``nova_log``, ``notifications``, ``stop_compute``, ``start_compute``,
        ``update_resources``, ``set_policy``, ``clear``.
    client.Client   a user's view: create_flavor, create_server, server,
        host_of, fault_of, live_migrate, migrate, resize, evacuate, rebuild,
        shelve, act, ... and ``request`` for everything else, at any
        microversion.  An operation returns the server once it rests.
    testcase.CloudTestCase   tests that share the cloud of their class.

In a test of a class derived from ``testcase.CloudTestCase``, which sets
``description``, and by itself:

    with cloud.Cloud(description.Description(
        computes=(description.Compute("edge-1"),),
        available_filters=("nova.scheduler.filters.all_filters",
                           "nfv_mla_scheduler.scheduler.filters.all_filters"),
        enabled_filters=("NfvMlaFilter", "ComputeFilter"),
        register_options=conf.register,
        overrides={"nfv_mla": {"policy_file": path}},
    )) as here:
        admin, tenant = here.client(), here.client(description.TENANT)
        flavor = admin.create_flavor("small", {"nfv_mla:profile": "..."})
        server = tenant.create_server("vm", flavor)
        print(admin.host_of(server), tenant.fault_of(server))
        subprocess.run(["openstack", "server", "list"],
                       env={**os.environ, **here.environment()})

What lets a request of one API wait for another request of the same API
waits for ever: they are served one at a time.
"""

import os

# Nova chooses native threads when this is set before its first import, and
# refuses to when anything has imported eventlet by then.
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"

from nova import monkey_patch

monkey_patch.patch(backend="threading")
