"""Training and predicting: one stage at a time, committed after every epoch."""
