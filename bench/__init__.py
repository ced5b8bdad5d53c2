"""Speed as ratios within one run: each figure beside that of a minimal version that signs in and does the same."""
