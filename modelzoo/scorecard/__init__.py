"""Scorecards: from indicators to scores and ranks, each step usable alone and recorded in the result."""
