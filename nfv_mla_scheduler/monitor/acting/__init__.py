# SPDX-License-Identifier: Apache-2.0
"""Do what is planned."""
