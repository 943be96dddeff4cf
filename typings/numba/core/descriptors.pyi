from numba.core.compiler import TargetContext

class TargetDescriptor:
    target_context: TargetContext
