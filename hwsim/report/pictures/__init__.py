"""Pictures as SVG, on pages and alone: light and dark, the same bytes for the same results."""
