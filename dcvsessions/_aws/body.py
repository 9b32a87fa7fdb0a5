"""Reads the body of a successful answer in place of botocore. Pure.

botocore's parser compares every value with the service model, and then this package compares it
again with its classes. Without the first comparison, a page of 100 sessions costs half as much.
"""

from collections.abc import Iterable, MutableMapping
from typing import cast

__all__ = ["take_members"]


def take_members(
    response_dict: MutableMapping[str, object],
    customized_response_dict: MutableMapping[str, object],
    names: Iterable[str],
) -> None:
    """Take the members of an answer out of its body, so that botocore finds none to parse.

    A body that is not a JSON object is left to botocore.

    Args:
        response_dict: The answer to parse, with an HTTP status below 300.
        customized_response_dict: Members that botocore adds to those that it has parsed.
        names: The members of the answer in the service model. Others are left out, as botocore does
            with those that are null or unknown.
    """
    import json  # noqa: PLC0415 - only the answers of a call need it

    try:
        body: object = json.loads(cast("bytes", response_dict["body"]))
    except (ValueError, RecursionError):
        return
    if isinstance(body, dict):
        members = cast("dict[str, object]", body)
        for name in names:
            if (member := members.get(name)) is not None:
                customized_response_dict[name] = member
        response_dict["body"] = b"{}"
