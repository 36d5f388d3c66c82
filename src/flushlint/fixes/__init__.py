"""Fixes: what to change so that a finding goes away, proven by running the changed module."""
