"""What a response or a prediction is worth: signed metrics and histograms of held-out events."""
