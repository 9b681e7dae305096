"""The committee's agreement under adversarial schedules, in simulated time; blocks have no content here."""
