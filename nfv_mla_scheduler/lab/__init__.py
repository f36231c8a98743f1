# SPDX-License-Identifier: Apache-2.0
"""An attestation authority for development.  It attests nothing."""
