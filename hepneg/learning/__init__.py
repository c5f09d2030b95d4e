"""Networks and their training: the only rooms that import torch."""
