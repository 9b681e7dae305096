"""Parts of the page *Network*: widgets that show view-models. None speaks with the engine itself."""
