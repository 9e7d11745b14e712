"""Prosperity indices: composites, diffusion indices and a common factor of monthly components."""
