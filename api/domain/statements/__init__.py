"""Usage given a value: rating, lines, statements, evidence, faults."""
