# SPDX-License-Identifier: Apache-2.0
"""Check the shape of a policy against ``schema.yaml``, in our own words.

Pure, but for reading that file once.  jsonschema finds what is wrong; what
it would say about it names Python's types and regular expressions, so that
the messages are made from the schema's descriptions instead.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
from collections.abc import Iterator
from typing import Any

import jsonschema
import yaml

from nfv_mla_scheduler.errors import bounded
from nfv_mla_scheduler.policy.reading.parts import Report
from nfv_mla_scheduler.policy.reading.parts import show
from nfv_mla_scheduler.standard.strict_yaml import Path

_NAMES_MAX = 6


@functools.cache
def schema() -> dict[str, Any]:
    """Return the schema; the reference page is made from it as well."""
    file = importlib.resources.files(__package__).joinpath("schema.yaml")
    loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@functools.cache
def _validator() -> Any:
    """Return the validator; without references it is twice as fast."""
    return jsonschema.Draft202012Validator(_inlined(schema()))


def _inlined(node: Any) -> Any:
    """Put what a reference names in its place, beside what it adds.

    The definition's description becomes the ``form``: what a value has to be
    like, while the description beside the reference says what it is for.
    """
    if isinstance(node, list):
        return [_inlined(item) for item in node]
    if not isinstance(node, dict):
        return node
    members = {k: _inlined(v) for k, v in node.items() if k != "$defs"}
    if "$ref" in members:
        name = members.pop("$ref").rpartition("/")[2]
        definition = _inlined(schema()["$defs"][name])
        form = definition.get("form", definition["description"])
        members = {**definition, "form": form, **members}
    return members


def check_shape(value: object, report: Report) -> None:
    """Report everything in ``value`` that the schema does not allow."""
    for error in _validator().iter_errors(value):
        path: Path = tuple(error.absolute_path)
        for at, message, shown in _explain(error):
            report.add((*path, *at), message, shown)


_Told = tuple[Path, str, object]


def _explain(error: Any) -> Iterator[_Told]:
    """Yield path (below the error's own), message and value."""
    wanted = _wanted(error)
    if "propertyNames" in error.absolute_schema_path:
        yield (error.instance,), f"the name has to be {wanted}", ""
    elif error.validator == "additionalProperties":
        known = tuple(error.schema.get("properties", ()))
        for key in error.instance:
            if key not in known:
                yield (key,), _unknown(key, known), ""
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield (key,), f"is missing: it {_has_to(error, key)}", ""
    elif error.validator in ("minItems", "minProperties"):
        yield (), f"is empty: it has to be {wanted}", ""
    elif error.validator in ("maxItems", "maxProperties"):
        most = error.validator_value
        yield (), f"has more than {most} entries", len(error.instance)
    elif error.validator == "uniqueItems":
        for index, item in enumerate(error.instance):
            if item in error.instance[:index]:
                yield (index,), "stands in this list twice", show(item)
    else:
        yield (), f"has to be {wanted}", show(error.instance)


def _wanted(error: Any) -> str:
    told = error.schema.get("form") or error.schema.get("description")
    return str(told or "something else")


def _has_to(error: Any, key: str) -> str:
    """Return what a missing member would have to be."""
    member = error.schema["properties"].get(key, {})
    return f"has to be {member.get('description', 'there')}"


def _unknown(key: str, known: tuple[str, ...]) -> str:
    """Say that a key is unknown, and which one may be meant."""
    close = difflib.get_close_matches(bounded(key), known, 1)
    if close:
        return f"is no key of the policy here; did you mean {close[0]!r}?"
    if len(known) <= _NAMES_MAX:
        return f"is no key of the policy here; there are: {', '.join(known)}"
    return "is no key of the policy here"
