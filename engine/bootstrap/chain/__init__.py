"""What the committee and model nodes bring to the server: taken only when it checks out, stored for good, read by
everybody."""
