"""Trajectories to tables and sentences."""
