"""Networks: from raw features to outputs."""
