# SPDX-License-Identifier: Apache-2.0
"""Nova and Placement as they really are: the adapter behind ``port.Cloud``.

The only place that knows keystoneauth and openstacksdk, and these are
imported when a connection is made, since that takes half a second.
"""
