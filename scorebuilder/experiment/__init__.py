"""The plan of an experiment: its spec, how it is read, and how it is run."""
