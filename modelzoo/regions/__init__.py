"""One model for many regions."""
