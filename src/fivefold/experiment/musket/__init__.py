"""What `classification.parse` gives, by Musket's method names: predicting, evaluating, folds."""
