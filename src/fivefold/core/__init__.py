"""What everything else stands on: errors, catalogs, predictions, the run folder, durable writes."""
