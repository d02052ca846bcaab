"""What indexers are asked for by enviodev/open-indexer-benchmark, each check a test of ours.

`python -m scripts.bench.reliability` runs all of them three times and prints the table that
docs/BENCHMARKS.md shows: CHECKS of that module names the test of each check.
"""
