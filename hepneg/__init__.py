"""Classifiers, shape checks and response plots for Monte Carlo events with negative weights."""
