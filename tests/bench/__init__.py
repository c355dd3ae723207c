"""`make bench`: how long everything takes, as ratios to what it cannot be faster than."""
