"""What every room stands on: hashes, atomic output, registries, tables, progress, numbers as text; no physics."""
