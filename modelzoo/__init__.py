"""Methods: one model to a file. Knows models and no database."""
