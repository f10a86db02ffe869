"""Upstream's own samples: readers, adapters and formulas for the files of other benchmarks."""
