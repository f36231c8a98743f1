# SPDX-License-Identifier: Apache-2.0
"""What a service of ours says of itself, over HTTPS or in its status file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nfv_mla_scheduler.errors import ContactCode
from nfv_mla_scheduler.errors import ContactFailed
from nfv_mla_scheduler.errors import ResultsCode
from nfv_mla_scheduler.errors import ResultsRefused
from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.https import Answer
from nfv_mla_scheduler.results import strict_json


def check_answer(answer: Answer, peer: str) -> None:
    """:raises ContactFailed: when it is an error, with what is said of it"""
    if answer.status >= 400:
        said = bounded(_error(answer.body), 160)
        raise ContactFailed(
            ContactCode.BAD_STATUS,
            f"{peer}: answered {answer.status}: {said}",
        )


def _error(body: bytes) -> str:
    try:
        return str(strict_json.parse(body, "answer")["error"])
    except (ResultsRefused, KeyError, TypeError):
        return "it does not say why"


def read_status(
    data: bytes, where: str, whose: str, use: Callable[[Any], object]
) -> dict[str, Any]:
    """Return a status, its shape checked as far as it is used.

    :param whose: the service, for the error
    :param use: does with it all that is to be done with it
    :raises ResultsRefused: when it is no status of that service
    """
    found = strict_json.mapping(strict_json.parse(data, where), where)
    try:
        use(found)
        float(found["now"])
    except (LookupError, TypeError, ValueError, AttributeError, OSError) as e:
        raise ResultsRefused(
            ResultsCode.INVALID, f"{where}: is not the status of a {whose}"
        ) from e
    return found
