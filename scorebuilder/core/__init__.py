"""What every room may use: errors, registry, units, protocols, seeds, array types."""
