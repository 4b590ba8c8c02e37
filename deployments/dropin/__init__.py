"""Interfaces of other services over the same graph, for programs that speak them."""
