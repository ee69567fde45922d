"""A service that draws charts: asked over HTTP, drawn by workers in processes with bounds. See README.md."""
