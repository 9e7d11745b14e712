"""Online: parse, ask, answer."""
