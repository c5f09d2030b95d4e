"""Bins of one and of two features, and sums of weights by bin and sign."""
