"""Which models there are: folders here, the published catalogue, downloads from a hub, what fits. Runs no model."""
