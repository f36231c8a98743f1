# SPDX-License-Identifier: Apache-2.0
"""Judge what was seen by the judge that the filter asks."""
