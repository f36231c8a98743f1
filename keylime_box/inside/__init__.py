# SPDX-License-Identifier: Apache-2.0
"""A node, which runs in the environment .keylime and in a process of its own.

Nothing outside this package imports it: it needs tpm2-pytss.
"""
