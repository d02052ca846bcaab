"""HTTP: parse, authorise, call one room, answer."""
