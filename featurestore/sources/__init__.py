"""One file a source: from what an office publishes to rows with three times."""
