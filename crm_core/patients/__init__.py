"""Patients, their contact points, and how they are found."""
