"""Parts of the page *Contribute*.

It is not the page that they stand on (``app.views.pages.contribute_page``).
"""
