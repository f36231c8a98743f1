# SPDX-License-Identifier: Apache-2.0
"""One bounded HTTPS exchange at a time, with one server that is known.

Standard library only; knows neither authorities nor results.
"""

from nfv_mla_scheduler.https.address import Address
from nfv_mla_scheduler.https.address import read_url
from nfv_mla_scheduler.https.answer import Answer
from nfv_mla_scheduler.https.client import Client
from nfv_mla_scheduler.https.trust import Tls

__all__ = ["Address", "Answer", "Client", "Tls", "read_url"]
