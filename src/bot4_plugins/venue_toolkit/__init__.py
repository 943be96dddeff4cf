"""What exchange plugins share: drafts, strict JSON, symbols, a message's way to the batch."""
