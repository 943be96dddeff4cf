"""The only home of domain types."""
