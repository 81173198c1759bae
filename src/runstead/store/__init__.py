"""Truth: what was answered is kept here."""
