"""Tells the service's own error answers from those of a proxy or another server. Pure.

A proxy, a captive portal, a load balancer or a wrong endpoint can send any body with any HTTP
status. The service's own errors name a code, in a header or in a JSON body. Any other answer is
foreign, and says nothing about the resource.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import cast

__all__ = ["error_code", "replace_unproven_error"]

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,127}", re.ASCII)
_FIRST_CLIENT_ERROR = 400
_NOTHING: Mapping[str, object] = {}
# Messages are for people. Longer ones are cut, because masking and logging megabytes takes time.
_LONGEST_MESSAGE = 2000


def error_code(headers: Mapping[str, str], body: object) -> str | None:
    """Return the code in the headers or the parsed JSON body of an error answer, or None."""
    by_name = {name.lower(): value for name, value in headers.items()}
    members = _members(body)
    candidates = (
        by_name.get("x-amzn-errortype"),
        *(members.get(name) for name in ("__type", "code", "Code")),
    )
    named = next((each for each in candidates if each is not None), None)
    if not isinstance(named, str):
        return None
    # Both protocols document the form `aws.protocols#Name:http://…`.
    code = named.split(":", 1)[0].rsplit("#", 1)[-1].strip()
    return code if _CODE.fullmatch(code) else None


def replace_unproven_error(
    response_dict: MutableMapping[str, object],
    customized_response_dict: MutableMapping[str, object],
) -> None:
    """Hide the body of a foreign answer from botocore.

    botocore's parser and retry check expect the error code in a body to be a string, and fail if
    it is something else. So they see only the HTTP status of a foreign answer.

    Args:
        response_dict: The answer to parse, with an HTTP status of 300 or more.
        customized_response_dict: Members that replace those of the parsed answer.
    """
    status = cast("int", response_dict["status_code"])
    body = _parsed(cast("bytes", response_dict["body"] or b""))
    code = error_code(cast("Mapping[str, str]", response_dict["headers"]), body)
    is_proven = code is not None and status >= _FIRST_CLIENT_ERROR
    message = _message(_members(body)) if is_proven else ""
    if not is_proven or not isinstance(body, dict):
        response_dict["body"] = b"{}"
    customized_response_dict["Error"] = {"Code": code if is_proven else "", "Message": message}


def _members(body: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", body) if isinstance(body, dict) else _NOTHING


def _parsed(body: bytes) -> object:
    import json  # noqa: PLC0415 - only the answers of a call need it

    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _message(members: Mapping[str, object]) -> str:
    message = members.get("message", members.get("Message"))
    return message[:_LONGEST_MESSAGE] if isinstance(message, str) else ""
