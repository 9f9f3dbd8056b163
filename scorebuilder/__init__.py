"""Prognostic scores for cardiology, from a table of patients to a validated 0-10 score."""

__version__ = "0.1.0"
