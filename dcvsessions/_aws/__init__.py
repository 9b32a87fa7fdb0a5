"""The boundary to aiobotocore and botocore: clients, sessions, errors and conversion."""
