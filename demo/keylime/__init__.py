# SPDX-License-Identifier: Apache-2.0
"""The demo's Nova, with hosts that real Keylime attests by software TPMs.

A PCR of one host is tampered with, and its servers are halted or gone.
"""
