"""Scripts as users of other tools write them; each runs in an environment of its own."""
