"""What the team writes: replies, from the first word to the copy in Sent."""
