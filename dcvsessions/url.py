"""A DCV URL: a bearer secret that looks like a string."""


class DcvUrl(str):
    """The URL of a DCV desktop, whose `repr` hides the token in it."""

    __slots__ = ()
