"""The application: its frame, session, navigation and commands."""
