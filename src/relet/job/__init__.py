"""What a job is: values and decisions, with no I/O and no clock of their own."""
