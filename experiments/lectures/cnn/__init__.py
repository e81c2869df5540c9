"""The deck "CNN, R-CNN" (Dankook University, 2018-08, on Nojun Kwak's slides)."""
