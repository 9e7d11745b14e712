"""Monitoring: from what firms answer to indices, by industry, city and size."""
