"""PostgreSQL, by psycopg 3: the same portable statements, with the hot verbs in one statement each."""
