"""The environment of a measurement: no credentials, profile or endpoint of the machine."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

__all__ = ["REGION", "described", "use_only"]

REGION = "us-east-1"
_PACKAGES = ("dcvsessions", "aiobotocore", "botocore", "boto3", "aiohttp", "tenacity")


def use_only(environ: Mapping[str, str]) -> None:
    """Make AWS clients use these variables and no other settings of the machine."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")):
            del os.environ[name]
    os.environ.update(
        {
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **environ,
        }
    )


def described() -> dict[str, str]:
    """Return the date, the machine and the versions of a run."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in _PACKAGES},
    }
