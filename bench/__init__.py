"""Speed as ratios within one run: each figure beside an honest twin that signs in and does the minimal real thing."""
