"""Kill what runs, at random moments from a printed seed, and count what was lost or doubled."""
