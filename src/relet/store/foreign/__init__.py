"""Enqueueing in a transaction that the caller has open on a connection of its own: seen with it, rolled back with it."""
