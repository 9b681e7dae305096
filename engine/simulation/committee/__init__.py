"""The committee's agreement under adversarial schedules, in simulated time. Blocks have no content here but for
what rests on evidence, which some lack."""
