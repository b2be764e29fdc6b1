"""How long the tool takes, beside others that do comparable work. Run as ``python -m benchmarks``."""
