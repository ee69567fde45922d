"""`python -m relet.cli`: the command where no script of that name is on the path."""

from relet.cli import main

raise SystemExit(main())
