"""Arrays of time and event only: outcome, step functions, Kaplan-Meier, censoring weights."""
