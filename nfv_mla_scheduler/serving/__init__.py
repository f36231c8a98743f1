# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server with a handful of routes, for whoever has some."""
