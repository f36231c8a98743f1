# SPDX-License-Identifier: Apache-2.0
"""The signed policy, and what a server asks for: bytes in, values out."""
