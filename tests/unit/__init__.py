# SPDX-License-Identifier: Apache-2.0
"""Unit tests: no Nova, no other process, seconds."""

import hypothesis

# How fast a machine makes examples is no property of what is tested.
hypothesis.settings.register_profile(
    "nfv-mla",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("nfv-mla")
