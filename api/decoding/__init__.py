"""Decoding what others sent: in processes of their own, with bounds on memory and time."""
