"""Who tidies: chores of one shape, run by a caretaker. See DESIGN.md beside this."""
