"""The bot4 command line."""
