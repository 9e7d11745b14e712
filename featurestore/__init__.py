"""Every value ever released: append only, bitemporal. Knows data and no model."""
