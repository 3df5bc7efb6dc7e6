"""What users install: built as they would build it, installed where nothing else is, and put to work."""
