"""The sections of a round's report: one module each, from the round's values to what a page shows."""
