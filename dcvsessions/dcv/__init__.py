"""From a DCV URL to an open desktop: the URL, the connection file, opening, and the probe."""
