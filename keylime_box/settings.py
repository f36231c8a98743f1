# SPDX-License-Identifier: Apache-2.0
"""Keylime's configuration for a box: text alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from keylime_box.ports import LOOPBACK

# The verifier's databases and the registrar's, by Keylime's own names.
VERIFIER_DATABASE = "cv_data.sqlite"
REGISTRAR_DATABASE = "reg_data.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may be chosen of a verifier.

    :ivar quote_interval_s: between two quotes of a node; in push mode whole
        seconds, and a node is given up after five times that
    :ivar retry_interval_s: before a node is asked again that did not answer
    :ivar max_retries: after so many it has failed; Keylime's own are 5
    :ivar request_timeout_s: for a node's answer; Keylime's own are 60
    :ivar mode: whether the verifier asks, or the nodes push
    :ivar measured_boot_policy: by its name within Keylime; ``box`` is
        ``inside/boot_policy.py``, where known events alone pass
    :ivar measured_boot_evaluate: at the first quote, or at each
    """

    quote_interval_s: float = 0.2
    retry_interval_s: float = 0.3
    max_retries: int = 2
    request_timeout_s: float = 2.0
    mode: Literal["pull", "push"] = "pull"
    measured_boot_policy: str = "box"
    measured_boot_evaluate: Literal["once", "always"] = "once"

    def __post_init__(self) -> None:
        whole = float(self.quote_interval_s).is_integer()
        if self.mode == "push" and not whole:
            raise ValueError(
                "in push mode Keylime takes whole seconds alone for"
                " quote_interval"
            )


#: A verifier to which the nodes push, as fast as Keylime lets them.
PUSH = Settings(mode="push", quote_interval_s=1)


def verifier(chosen: Settings, certificates: Path, port: int) -> str:
    """Return the text of ``verifier.conf``."""
    return _text(
        {
            "verifier": {
                **_server(certificates),
                "uuid": "box",
                "port": port,
                "mode": chosen.mode,
                "enable_agent_mtls": True,
                "client_key": "client.key",
                "client_cert": "client.crt",
                "trusted_server_ca": '["ca.crt"]',
                "client_key_password": "",
                "quote_interval": f"{chosen.quote_interval_s:g}",
                "retry_interval": chosen.retry_interval_s,
                "max_retries": chosen.max_retries,
                "exponential_backoff": False,
                "request_timeout": chosen.request_timeout_s,
                "measured_boot_imports": '["keylime_box.inside.boot_policy"]',
                "measured_boot_policy_name": chosen.measured_boot_policy,
                "measured_boot_evaluate": chosen.measured_boot_evaluate,
                # A node that is not enrolled yet would be shut out.
                "session_create_rate_limit_per_ip": 1_000_000,
                "session_create_rate_limit_per_agent": 1_000_000,
                # Keylime's own: with any other it goes on asking a node that
                # has failed.
                "severity_labels": '["info", "notice", "warning", "error",'
                ' "critical", "alert", "emergency"]',
                "severity_policy": '[{"event_id": ".*",'
                ' "severity_label": "emergency"}]',
            },
            "revocations": {"enabled_revocation_notifications": "[]"},
        }
    )


def registrar(certificates: Path, port: int, tls_port: int) -> str:
    """Return the text of ``registrar.conf``."""
    return _text(
        {
            "registrar": {
                **_server(certificates),
                "port": port,
                "tls_port": tls_port,
            }
        }
    )


def logging() -> str:
    """Return the text of ``logging.conf``: all to standard output."""
    return _text(
        {
            "loggers": {"keys": "root"},
            "handlers": {"keys": "out"},
            "formatters": {"keys": "line"},
            "formatter_line": {
                "format": "%(asctime)s %(name)s %(levelname)s %(message)s"
            },
            "logger_root": {"level": "INFO", "handlers": "out"},
            "handler_out": {
                "class": "StreamHandler",
                "formatter": "line",
                "args": "(sys.stdout,)",
            },
        }
    )


def _server(certificates: Path) -> Mapping[str, object]:
    return {
        "ip": LOOPBACK,
        "tls_dir": certificates,
        "server_key": "server.key",
        "server_key_password": "",
        "server_cert": "server.crt",
        "trusted_client_ca": '["ca.crt"]',
        "database_url": "sqlite",
        # They are made beforehand: inside/databases.py.
        "auto_migrate_db": False,
        "max_workers": 1,
    }


def _text(sections: Mapping[str, Mapping[str, object]]) -> str:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{option} = {value}" for option, value in options.items()]
    return "\n".join(lines) + "\n"
