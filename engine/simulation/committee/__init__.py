"""The committee's agreement under adversarial schedules, in simulated time."""
