"""Long runs on links, and whether what they measured stayed flat."""
