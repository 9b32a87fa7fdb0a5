"""Secrets masked in text: what botocore and aiohttp log, and what a service answers. Pure."""

import re

__all__ = ["mask", "plain_text"]

# AWS's own messages are a few hundred characters long; one that quotes a request, a few thousand.
_LONGEST = 8_000


def mask(text: str) -> str:
    """Mask the tokens, keys, passwords and signatures in a text that botocore or aiohttp logged.

    Args:
        text: A message, with the Python or JSON text of headers, bodies and parameters in it.

    Returns:
        The text with `***` for each secret. Hosts, ports, names, states and the scope of a
        signature remain. The cost is linear in the length of the text.

    Example:
        >>> mask('{"url": "https://203.0.113.1:8443/?authToken=s3cr3t#console"}')
        '{"url": "https://203.0.113.1:8443/***"}'
    """
    for pattern in _SECRETS:
        text = pattern.sub(r"\g<shown>***", text)
    return _URL.sub(_masked_url, text)


def plain_text(text: str) -> str:
    r"""Make one line of a text that a service wrote, without secrets and control characters.

    Args:
        text: What the service said, of any length.

    Returns:
        The text with `***` for each secret, one space for each run of white space, and U+FFFD for
        any other character that cannot be printed: controls, marks that turn the direction of
        writing, lone surrogates. A text of more than 8,000 characters is cut off first, and ends
        in `…`, so that one of megabytes takes no time.

    Example:
        >>> plain_text("No capacity.\r\nSee https://user:s3cr3t@example.com/a")
        'No capacity. See https://***@example.com/a'
    """
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    line = " ".join(shown.split())
    # Last, because a secret is only found in the text as it will be shown.
    return mask(line if line.isprintable() else "".join(map(_printable, line)))


def _printable(character: str) -> str:
    return character if character.isprintable() else "\ufffd"


def _masked_url(match: re.Match[str]) -> str:
    """Cut a URL after its port, if it goes on to a query or a fragment."""
    rest = match["rest"]
    return f"{match['shown']}***" if "?" in rest or "#" in rest else match[0]


# A secret stands in Python's or JSON's text, in a header, a form or XML. One without its closing
# quote, in an answer that was cut off, goes on to the end. Quantifiers are possessive (`*+`), so
# that a long body takes linear time.
_QUOTE = r"""b?\\*+(?P<quote>["'])"""
_QUOTED = r"""(?:(?!(?P=quote))[^\\]|\\++.)"""
_AFTER_NAME = r"""\\*+["']?+\s*+[:=,>]\s*+"""
_SERVER = r"""(?:https?|dcv):(?:\\*+/){2}(?:\*{3}@)?+[^\s"'<>\\/?#@]*+\\*+/?+"""
# In the text of bytes, a line begins after the letter of an escape.
_LINE = r"(?<=\\[nr])"
_NAME = (
    rf"(?:(?<![\w-])|{_LINE})(?:aws_secret_access_key|secret_?(?:access_?)?key|client_?secret|password"
    r"|(?:aws_|x-amz-)?(?:session|security)[_-]?token|x-amz-sso_bearer_token"
    r"|(?:access|refresh|id|auth|web_?identity)_?token|x-aws-ec2-metadata-token|token"
    r"|saml_?assertion|(?:x-amz-)?signature)"
)
_BARE = r"""[^\s"'&,;<>(){}\[\]\\]"""
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # The user and password of a URL, up to the last @ before its path. Where `plain_text` cut
        # the text off before the @, up to the end.
        r"""(?P<shown>:(?:\\*+/){2})[^\s"'<>\\/?#]*(?=@|…\Z)""",
        # A `url` member, which is what both services call the DCV URL.
        rf"""(?P<shown>["']url\\*+["']\s*+:\s*+{_QUOTE}(?:{_SERVER})?+){_QUOTED}++""",
        # Not SigV4's header: it says who signed and for what, and names its signature, see below.
        rf"""(?P<shown>(?:\b|{_LINE})authorization{_AFTER_NAME}(?!b?["']?AWS4-){_QUOTE}){_QUOTED}*+""",
        rf"""(?P<shown>(?:\b|{_LINE})authorization{_AFTER_NAME}(?!b?["']|AWS4-))[^\r\n"']++""",
        rf"""(?P<shown>{_NAME}{_AFTER_NAME}{_QUOTE}){_QUOTED}*+""",
        rf"""(?P<shown>{_NAME}{_AFTER_NAME})(?!b["']){_BARE}++""",
    )
)
# Any other URL; only one that goes on to a query or a fragment is cut.
_URL = re.compile(rf"""(?P<shown>{_SERVER})(?P<rest>[^\s"'<>]*+)""", re.IGNORECASE)
