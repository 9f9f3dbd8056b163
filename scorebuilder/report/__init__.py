"""The page: a summary of plain numbers becomes figures and one self-contained HTML file."""
