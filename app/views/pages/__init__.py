"""The pages of the window beside the chat. They show what the engine says and keep no state of their own."""
