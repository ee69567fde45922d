"""`python -m relet`: the program `relet`, also where its script is not on the path."""

import sys

from relet.cli import main

sys.exit(main())
