"""`make tour`: every verb done in the real console on a real terminal, and docs/tour.md written from its screens.

A scene is one person's time at one console over a copy of the same small clinic. Its steps
are data (scenes_*.py); driving.py presses the keys, and a step whose words do not appear on
the screen ends the tour. Time is told, never waited for, so that a screen changes only when
the console does.
"""
