"""How requests and answers travel: bodies, problems, headers, documents."""
