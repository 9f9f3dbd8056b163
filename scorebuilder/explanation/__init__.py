"""Why this number: what each predictor adds, and the shape of its effect."""
