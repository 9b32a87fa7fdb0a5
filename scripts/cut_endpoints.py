"""Cuts botocore's table of endpoints to the services that this package calls.

    python scripts/cut_endpoints.py

The whole table has 1.2 MB. Reading it takes most of the time and memory that the first client
costs. Run this when a test says that the cut table differs from botocore's.
"""

import json
from pathlib import Path

from botocore.loaders import Loader

TARGET = Path(__file__).parent.parent / "dcvsessions" / "data" / "cut" / "endpoints.json"

# The prefixes of the services in host names. botocore calls the last four for temporary
# credentials: an assumed role, IAM Identity Center (portal.sso and oidc) and `aws login`.
SERVICES = {"lightsail", "sts", "portal.sso", "oidc", "signin"}


def main() -> None:
    """Write the cut table."""
    botocores = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    table = botocores.load_data("endpoints")
    for partition in table["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES & services.keys()}
    text = json.dumps(table, sort_keys=True, indent=1)
    TARGET.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
