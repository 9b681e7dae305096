"""Parts of the page *Network*."""
