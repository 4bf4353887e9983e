# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""What the processor can do and Numba does not name: fetching ahead, and counting bits in one instruction.

Numba's cache watches only the text of a compiled function's own file, not what that function calls: after a change
here, delete the cache (`__pycache__/*.nbi`).
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

KERNEL: Any = {"nogil": True, "cache": True, "error_model": "numpy", "_nrt": False}
"""How kernels are compiled: without counting references to arrays, which would cost two atomic additions for each array
that is handed to a small function, many times a ping. So they can make no arrays; what they need is handed to them."""

INLINE: Any = KERNEL | {"forceinline": True}
"""How small functions are compiled: into their callers."""


def _line_of(context, builder, signature, arguments):
    view = context.make_array(signature.args[0])(context, builder, arguments[0])
    stride = cgutils.unpack_tuple(builder, view.strides)[0]
    start = builder.bitcast(view.data, ir.IntType(8).as_pointer())
    return builder.gep(start, [builder.mul(arguments[1], stride)])


def _emit_prefetch(context, builder, signature, arguments, to_write):
    word = ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(function, [_line_of(context, builder, signature, arguments), word(to_write), word(3), word(1)])
    return context.get_dummy_value()


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _prefetch_to_read(typingctx, array, row):
    def codegen(context, builder, signature, arguments):
        return _emit_prefetch(context, builder, signature, arguments, 0)

    return types.void(array, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _prefetch_to_write(typingctx, array, row):
    def codegen(context, builder, signature, arguments):
        return _emit_prefetch(context, builder, signature, arguments, 1)

    return types.void(array, types.int64), codegen


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _set_bits(typingctx, word):
    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint32(types.uint32), codegen


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _zeros_below(typingctx, word):
    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(0))

    return types.uint64(types.uint64), codegen


@njit(**INLINE)
def prefetch(array, row):
    """Ask for the cache line at `array[row]`, to read it."""
    _prefetch_to_read(array, row)  # type: ignore[call-arg, unused-ignore]


@njit(**INLINE)
def prefetch_to_write(array, row):
    """Ask for the cache line at `array[row]` for this core alone, to write it."""
    _prefetch_to_write(array, row)  # type: ignore[call-arg, unused-ignore]


@njit(**INLINE)
def popcount(word):
    """How many bits of a uint32 are set; uint32."""
    return _set_bits(word)  # type: ignore[call-arg, unused-ignore]


@njit(**INLINE)
def zeros_below(word):
    """How many zeros stand below the lowest set bit of a uint64; 64 where none is set; uint64."""
    return _zeros_below(word)  # type: ignore[call-arg, unused-ignore]
