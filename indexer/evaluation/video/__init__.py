"""How well people are found in videos: rendered clips whose truth is known, measures, runs."""
