"""Programs to read and to run, each with a README.md."""
