"""Who runs where, how many and how long: the Ray Serve deployments and the HTTP interface."""
