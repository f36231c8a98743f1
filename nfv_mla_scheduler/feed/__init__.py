# SPDX-License-Identifier: Apache-2.0
"""Keep the newest snapshot at hand: files in, one reference out."""
