# SPDX-License-Identifier: Apache-2.0
"""The process that alone talks to authorities, and publishes their results."""
