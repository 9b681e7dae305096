"""What `make` runs: set-up, locks and checks of the checkout itself. Not part of the product, never in the wheel.

`setup`, `pip_bootstrap` and `system_libraries` run before anything is installed: the standard library only.
"""
