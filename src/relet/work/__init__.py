"""How a job runs: the clerk claims and settles, the keeper holds the lease, the runner runs. See DESIGN.md beside this."""
