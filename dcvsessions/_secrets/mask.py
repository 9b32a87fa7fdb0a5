"""Masks secrets in text, such as botocore's log messages and a service's answers. Pure."""

import re
from functools import cache

__all__ = ["mask", "plain_text"]

# Characters. AWS's messages have a few hundred; a message that quotes a request has a few thousand.
_LONGEST = 8_000


def mask(text: str) -> str:
    """Mask the tokens, keys, passwords and signatures in a text that botocore or aiohttp logged.

    Args:
        text: A message that may contain headers, bodies or parameters, as Python's `repr` or JSON.

    Returns:
        The text with `***` for each secret. Hosts, ports, names, states and the scope of a
        signature remain. The time is linear in the length of the text.

    Example:
        >>> mask('{"url": "https://203.0.113.1:8443/?authToken=s3cr3t#console"}')
        '{"url": "https://203.0.113.1:8443/***"}'
    """
    secrets, url = _patterns()
    for pattern in secrets:
        text = pattern.sub(r"\g<shown>***", text)
    return url.sub(_masked_url, text)


def plain_text(text: str) -> str:
    r"""Turn a service's text into one line without secrets and control characters.

    Args:
        text: What the service said, of any length.

    Returns:
        The text with `***` for each secret, one space for each run of white space, and U+FFFD for
        any other character that cannot be printed: controls, marks that change the direction of
        writing, lone surrogates. A text of more than 8,000 characters is first cut, and ends in
        `…`, because masking megabytes takes time.

    Example:
        >>> plain_text("No capacity.\r\nSee https://user:s3cr3t@example.com/a")
        'No capacity. See https://***@example.com/a'
    """
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    line = " ".join(shown.split())
    # Masked last, because the patterns find a secret only in the text as it will be shown.
    return mask(line if line.isprintable() else "".join(map(_printable, line)))


def _printable(character: str) -> str:
    return character if character.isprintable() else "\ufffd"


def _masked_url(match: re.Match[str]) -> str:
    """Cut a URL after its port, if it has a query or a fragment."""
    rest = match["rest"]
    return f"{match['shown']}***" if "?" in rest or "#" in rest else match[0]


# A secret can be in a Python or JSON string, a header, a form or XML. If an answer was cut off, the
# closing quote may be missing: then everything up to the end is masked. Quantifiers are possessive
# (`*+`), so that a long body takes linear time.
_QUOTE = r"""b?\\*+(?P<quote>["'])"""
_QUOTED = r"""(?:(?!(?P=quote))[^\\]|\\++.)"""
_AFTER_NAME = r"""\\*+["']?+\s*+[:=,>]\s*+"""
_SERVER = r"""(?:https?|dcv):(?:\\*+/){2}(?:\*{3}@)?+[^\s"'<>\\/?#@]*+\\*+/?+"""
# In the repr of bytes, a line begins after an escape such as `\n`.
_LINE = r"(?<=\\[nr])"
_NAME = (
    rf"(?:(?<![\w-])|{_LINE})(?:aws_secret_access_key|secret_?(?:access_?)?key|client_?secret|password"
    r"|(?:aws_|x-amz-)?(?:session|security)[_-]?token|x-amz-sso_bearer_token"
    r"|(?:access|refresh|id|auth|web_?identity)_?token|x-aws-ec2-metadata-token|token"
    r"|saml_?assertion|(?:x-amz-)?signature)"
)
_BARE = r"""[^\s"'&,;<>(){}\[\]\\]"""
_SECRETS = (
    # The user and password of a URL, up to the last @ before its path. If `plain_text` cut the
    # text before the @, up to the end.
    r"""(?P<shown>:(?:\\*+/){2})[^\s"'<>\\/?#]*(?=@|…\Z)""",
    # A member named `url`, as both services call the DCV URL.
    rf"""(?P<shown>["']url\\*+["']\s*+:\s*+{_QUOTE}(?:{_SERVER})?+){_QUOTED}++""",
    # Except SigV4's header, which says who signed what. Its signature is masked by name below.
    rf"""(?P<shown>(?:\b|{_LINE})authorization{_AFTER_NAME}(?!b?["']?AWS4-){_QUOTE}){_QUOTED}*+""",
    rf"""(?P<shown>(?:\b|{_LINE})authorization{_AFTER_NAME}(?!b?["']|AWS4-))[^\r\n"']++""",
    rf"""(?P<shown>{_NAME}{_AFTER_NAME}{_QUOTE}){_QUOTED}*+""",
    rf"""(?P<shown>{_NAME}{_AFTER_NAME})(?!b["']){_BARE}++""",
)
# Any other URL. It is cut only if it has a query or a fragment.
_URL = rf"""(?P<shown>{_SERVER})(?P<rest>[^\s"'<>]*+)"""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], re.Pattern[str]]:
    """Compile the patterns at first use: that takes 3 ms, and most programs mask nothing."""
    secrets = (re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in _SECRETS)
    return tuple(secrets), re.compile(_URL, re.IGNORECASE)
