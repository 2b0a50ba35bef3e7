"""The inner loop of kernels that slide: a few runs of numbers, added up as vectors for LLVM.

A spike adds, for each row of a kernel, one run of weights to one run of drives. Both are
contiguous, since channels stand last and are filled up to a multiple of ``EIGHT``. A loop in
Python's terms would ask each time whether the runs overlap, which takes longer than a run.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from volr.engine.cpu.compiler import cgutils, intrinsic, make_array, types

EIGHT = 8
"""Numbers in a vector, of either precision: a run is a multiple of this."""


@intrinsic
def add_scaled_runs(
    typing_context: Any,
    target: Any,
    target_offset: Any,
    target_stride: Any,
    source: Any,
    source_offset: Any,
    source_stride: Any,
    rows: Any,
    vectors: Any,
    factor: Any,
) -> Any:
    """``target[r · stride:][:8 · vectors] += factor · source[r · stride:][:8 · vectors]``.

    For each of the ``rows``, both from their offset on. Each number is rounded once.
    """
    del typing_context, target_offset, target_stride, source_offset, source_stride, rows, vectors
    number = types.uintp
    signature = types.void(
        target, number, number, source, number, number, number, number, target.dtype
    )
    del factor

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target, target0, target_row, source, source0, source_row, rows, vectors, factor = arguments
        element = context.get_value_type(kinds[0].dtype)
        size = 4 if kinds[0].dtype == types.float32 else 8
        eight = ir.VectorType(element, EIGHT)
        lane = ir.IntType(32)
        undefined = ir.Constant(eight, ir.Undefined)
        one = builder.insert_element(undefined, factor, ir.Constant(lane, 0))
        all_ = builder.shuffle_vector(
            one, undefined, ir.Constant(ir.VectorType(lane, EIGHT), [0] * EIGHT)
        )
        name = f"llvm.fma.v{EIGHT}f{8 * size}"
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(eight, [eight] * 3), name
        )
        data = [
            builder.gep(make_array(kind)(context, builder, array).data, [offset])
            for kind, array, offset in ((kinds[0], target, target0), (kinds[3], source, source0))
        ]
        with cgutils.for_range(builder, rows) as row:
            to, from_ = (
                builder.bitcast(
                    builder.gep(pointer, [builder.mul(row.index, stride)]), eight.as_pointer()
                )
                for pointer, stride in zip(data, (target_row, source_row), strict=True)
            )
            with cgutils.for_range(builder, vectors) as each:
                place = builder.gep(to, [each.index])
                before = builder.load(place)
                before.align = size
                added = builder.load(builder.gep(from_, [each.index]))
                added.align = size
                builder.store(builder.call(fma, [all_, added, before]), place).align = size
        return context.get_dummy_value()

    return signature, generate
