"""Run records: what is recorded, and the trackers that record it."""
