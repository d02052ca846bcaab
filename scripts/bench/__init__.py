"""Figures beside what bounds them."""
