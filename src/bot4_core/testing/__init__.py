"""What tests of this package, of plugins and of host applications share.

The conformance kits need nothing more; ``strategies`` needs hypothesis, which comes with the
``testing`` extra.
"""
