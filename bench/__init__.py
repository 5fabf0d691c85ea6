"""Benchmarks on the real parts of this machine; `__main__.py` has what they measure."""
