"""How things look to programs: the records that `--json` prints and the HTTP API answers with, secrets hidden."""
