"""What a round's report says and shows, as plain values and plain pictures. `whole` is the way in."""
