"""SQLite: one file, no server. Driven by apsw, or by the standard library's sqlite3 where an application shares its file."""
