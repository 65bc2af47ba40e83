"""Offline emulators of the payment gateways, for trying and testing without an account or money."""
