"""Loops over arrays, compiled; each has a plain twin in its test."""
