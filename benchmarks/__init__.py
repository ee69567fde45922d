"""Benchmarks: `make bench`. Each figure of Relet's stands beside the raw engine's, measured in the same run.

    python -m benchmarks [--engine sqlite,postgres] [--only drain,latency] [--quick | --long] [--json FILE] [--write]

The raw engine does the same statements with parameters made beforehand and answers thrown away: what is left between the two
is Python. Machines differ and are noisy: quote the ratio first.
"""
