"""The slides' own pictures: what lecture 1 draws beside each claim, with the measured numbers on it."""
