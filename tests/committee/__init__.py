"""The long test of the committee's agreement: thousands of schedules of every size."""
