from numba.core import caching as caching
from numba.core import cgutils as cgutils
from numba.core import config as config
from numba.core import event as event
from numba.core import types as types
