"""People's choices between restored images, and what follows from them; no torch here."""
