"""An experiment: folds × stages on one data set, in one folder."""
