"""Forecasts: a published figure carried on from its own past, or from that of many series."""
