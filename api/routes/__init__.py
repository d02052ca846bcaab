"""HTTP: parse, authorise, call one pipeline step or query."""
