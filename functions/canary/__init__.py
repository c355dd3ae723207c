"""Checks of the public endpoints from outside (M6), run by CloudWatch Synthetics."""
