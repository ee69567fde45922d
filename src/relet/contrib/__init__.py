"""Relet beside other libraries: each module needs its library, and nothing else here needs them."""
