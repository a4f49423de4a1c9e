"""What runs without dlspec beside an exported network: modules that import nothing of it, copied as they are."""
