"""The normal quantile behind every 95 % limit."""

Z_95 = 1.959963984540054
"""97.5th centile of the standard normal distribution."""
