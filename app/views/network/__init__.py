"""Parts of the page *Network*: widgets that show view-models and do not speak with the engine."""
