"""Tests of api.verify that need no chain."""
