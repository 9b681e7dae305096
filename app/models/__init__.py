"""View-models: what the window shows, as plain values and signals. No widgets here, and no connection either."""
