"""Three routines that keep a report on the packages of this Python. See README.md."""
