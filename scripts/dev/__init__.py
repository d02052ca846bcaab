"""What development needs: local chain, process stack, generators, analysers."""
