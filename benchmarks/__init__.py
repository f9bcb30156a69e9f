"""Measurements, each one command; their figures and the machines they come from are in README.md.

They need a checkout: they are no part of the installed package.
"""
