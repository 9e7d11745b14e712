"""Offline: replay history, compare, promote."""
