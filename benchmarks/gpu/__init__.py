"""Three commands for one H100, each under ten minutes; see docs/benchmarks.md."""
