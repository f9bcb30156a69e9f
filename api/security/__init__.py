"""Who may use the service, from where, how often, and which files it touches."""
