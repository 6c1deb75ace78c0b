"""The benchmark suite: ours, the peers, and what the machine itself allows."""
