"""Starts the product: web server, worker and sandbox as one group. Standard library only, no Django."""
