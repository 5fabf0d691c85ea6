"""Benchmarks: what they measure is in `__main__.py`; each runs on real parts of this machine."""
