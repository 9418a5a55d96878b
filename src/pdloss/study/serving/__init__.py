"""While a study runs: the server, and the database that keeps every answer."""
