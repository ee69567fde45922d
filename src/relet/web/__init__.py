"""What people see over HTTP: the API, the dashboard, health and metrics. Needs the extra `relet[web]`."""
