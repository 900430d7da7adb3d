"""`tidings-train`: makes the coefficients of the local engine's small classifiers anew."""
