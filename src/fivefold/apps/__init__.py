"""What is done with a trained experiment; the apps do not know each other."""
