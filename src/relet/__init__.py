"""Relet: background jobs under a lease, on one SQLite file or on PostgreSQL."""

__version__ = "0.1.0"
