"""What tests of this package, of plugins and of host applications share.

``strategies`` needs hypothesis, which comes with the ``testing`` extra.
"""
