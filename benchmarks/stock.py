"""Stock aiobotocore, which has no model of Nimble Studio any more, with this package's model."""

from pathlib import Path

from aiobotocore.session import AioSession

import dcvsessions

__all__ = ["stock_session"]


def stock_session() -> AioSession:
    """Return a session with botocore's defaults that knows Nimble Studio."""
    session = AioSession()
    models = Path(dcvsessions.__file__).parent / "data"
    session.get_component("data_loader").search_paths.append(str(models))
    return session
