"""Compiled inner loops; they know no project type, and each has a plain twin that tests it."""
