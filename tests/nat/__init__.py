"""The NAT laboratory: real links between network namespaces behind routers of every kind."""
