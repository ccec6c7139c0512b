"""What comes back from a vendor: bytes to rows, rows to verdicts, verdicts to a receipt. `judge` is the way in."""
