"""The dashboard: pages of what there is, and forms that change it."""
