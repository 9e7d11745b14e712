"""Loops over arrays, compiled; each has a plain twin in its test."""

import numpy as np

# glibc hands a freed block back to the system unless it has seen a larger one freed before, and a pass of the filter then pays
# a thousand page faults, half of its time. Freeing 30 MB once, never touched, makes it keep what the passes use again.
np.empty(30 << 20, np.uint8)
