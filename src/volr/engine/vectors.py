"""The inner loops of the engine, written as vector code for LLVM.

Three go over a list of rows of a matrix, some 64 columns at a time, with the running sums in the
registers of the processor, where a loop in Python's terms would keep them in memory: that is a
factor of three. A column of the matrix is never looked at; the rows are those of the neurons that
spiked.

    add_rows          target += Σ_k matrix[index_k]
    add_scaled_rows   target += Σ_k value_k · matrix[index_k]
    scatter_row       matrix[index_k] += row,   for every k

and two deal with eight neurons at once: ``load_word`` and ``write_eight``.

Everything is a flat array with an offset. ``width`` is a multiple of ``LANES``; a row begins at
index · ``stride``. Sums are taken in the order of the list, so that the result does not depend on
how the work was split.

One file in spite of its length: five loops that are all made with ``_Code``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir

from volr.engine.compiler import cgutils, intrinsic, make_array, types

if TYPE_CHECKING:
    from collections.abc import Callable

VECTOR_BYTES = 32
REGISTERS = 8
"""Vectors in flight: enough to hide the latency of an addition, and half of AVX2's registers."""
TILE_BYTES = VECTOR_BYTES * REGISTERS
LANES = 8
"""Columns are padded to a multiple of this, for either precision."""


class _Code:
    """What the three have in common: pointers, loads, stores, and the loops around them."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        self.element = context.get_value_type(array.dtype)
        self.size = 4 if array.dtype == types.float32 else 8
        self.lanes = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(self.element, self.lanes)
        self.word = ir.IntType(64)

    def number(self, value: int) -> Any:
        return ir.Constant(self.word, value)

    def data(self, kind: Any, array: Any, offset: Any) -> Any:
        pointer = make_array(kind)(self.context, self.builder, array).data
        return self.builder.gep(pointer, [offset])

    def place(self, pointer: Any, offset: Any, vector: int) -> Any:
        moved = self.builder.gep(
            pointer, [self.builder.add(offset, self.number(vector * self.lanes))]
        )
        return self.builder.bitcast(moved, self.vector.as_pointer())

    def load(self, place: Any) -> Any:
        value = self.builder.load(place)
        value.align = self.size
        return value

    def store(self, value: Any, place: Any) -> None:
        self.builder.store(value, place).align = self.size

    def entry(self, index: Any, k: Any) -> Any:
        value = self.builder.load(self.builder.gep(index, [k]))
        return self.builder.zext(value, self.word) if value.type.width < 64 else value

    def spread(self, scalar: Any) -> Any:
        """The same number in all lanes."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, undefined, lanes)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a · b + c, rounded once."""
        name = f"llvm.fma.v{self.lanes}f{8 * self.size}"
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        called = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(called, [a, b, c])

    def keep_rolled(self) -> None:
        """Keep LLVM from unrolling: lists are short, and a second loop for what is left over is a
        second branch that the processor cannot predict."""
        kind = ir.FunctionType(ir.VoidType(), [])
        call = self.builder.asm(kind, "", "", [], side_effect=True)
        call.attributes.add("convergent")

    def rows(
        self, count: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]
    ) -> list[Any]:
        """A loop over ``count`` entries that carries vectors along; returns them in the end."""
        builder = self.builder
        before = builder.block
        head, inside, after = (
            builder.append_basic_block(name) for name in ("rows.head", "rows.body", "rows.end")
        )
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(self.word)
        k.add_incoming(self.number(0), before)
        sums: list[Any] = []
        for each in carried:
            phi = builder.phi(self.vector)
            phi.add_incoming(each, before)
            sums.append(phi)
        builder.cbranch(builder.icmp_unsigned("<", k, count), inside, after)
        builder.position_at_end(inside)
        for phi, new in zip(sums, body(k, sums), strict=True):
            phi.add_incoming(new, inside)
        self.keep_rolled()
        k.add_incoming(builder.add(k, self.number(1)), inside)
        builder.branch(head)
        builder.position_at_end(after)
        return sums

    def tiles(self, width: Any, block: Callable[[Any, int], None]) -> None:
        """``block(first column, vectors)`` for full tiles, then for what is left of the width."""
        builder = self.builder
        full = builder.udiv(width, self.number(REGISTERS * self.lanes))
        with cgutils.for_range(builder, full) as loop:
            block(builder.mul(loop.index, self.number(REGISTERS * self.lanes)), REGISTERS)
        done = builder.mul(full, self.number(REGISTERS * self.lanes))
        left = builder.udiv(builder.sub(width, done), self.number(self.lanes))
        end = builder.append_basic_block("tiles.end")
        choice = builder.switch(left, end)
        for vectors in range(1, REGISTERS):
            case = builder.append_basic_block(f"tiles.{vectors}")
            choice.add_case(self.number(vectors), case)
            builder.position_at_end(case)
            block(done, vectors)
            builder.branch(end)
        builder.position_at_end(end)


@intrinsic
def load_word(typing_context: Any, array: Any, offset: Any) -> Any:
    """Eight bytes of a flat array, from ``offset`` on, as one number."""
    del typing_context, offset
    signature = types.uint64(array, types.uintp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [arguments[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return signature, generate


@intrinsic
def write_eight(
    typing_context: Any, target: Any, place: Any, table: Any, row: Any, added: Any
) -> Any:
    """``target[place:][:8] = table[row:][:8] + added``; ``table`` has bytes."""
    del typing_context, place, row, added
    signature = types.void(target, types.uintp, table, types.uintp, types.uintp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target, place, table, row, added = arguments
        element = context.get_value_type(kinds[0].dtype)
        wide, number = ir.VectorType(element, 8), ir.IntType(32)
        from_ = builder.gep(make_array(kinds[2])(context, builder, table).data, [row])
        to = builder.gep(make_array(kinds[0])(context, builder, target).data, [place])
        eight = builder.load(builder.bitcast(from_, ir.VectorType(ir.IntType(8), 8).as_pointer()))
        eight.align = 1
        undefined = ir.Constant(wide, ir.Undefined)
        one = builder.insert_element(
            undefined, builder.trunc(added, element), ir.Constant(number, 0)
        )
        all_ = builder.shuffle_vector(
            one, undefined, ir.Constant(ir.VectorType(number, 8), [0] * 8)
        )
        summed = builder.add(builder.zext(eight, wide), all_)
        builder.store(summed, builder.bitcast(to, wide.as_pointer())).align = element.width // 8
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_rows(
    typing_context: Any,
    target: Any,
    target_offset: Any,
    matrix: Any,
    matrix_offset: Any,
    index: Any,
    index_offset: Any,
    count: Any,
    stride: Any,
    width: Any,
) -> Any:
    """``target[:width] += Σ_k matrix[index[k] · stride:][:width]``, every array at its offset."""
    del typing_context, target_offset, matrix_offset, index_offset, count, stride, width
    number = types.uintp
    signature = types.void(target, number, matrix, number, index, number, number, number, number)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target, target0, matrix, matrix0, index, index0, count, stride, width = arguments
        code = _Code(context, builder, kinds[0])
        to = code.data(kinds[0], target, target0)
        rows = code.data(kinds[2], matrix, matrix0)
        entries = code.data(kinds[4], index, index0)

        def block(first: Any, vectors: int) -> None:
            places = [code.place(to, first, v) for v in range(vectors)]

            def add(k: Any, sums: list[Any]) -> list[Any]:
                row = builder.mul(code.entry(entries, k), stride)
                start = builder.add(row, first)
                return [
                    builder.fadd(each, code.load(code.place(rows, start, v)))
                    for v, each in enumerate(sums)
                ]

            sums = code.rows(count, [code.load(place) for place in places], add)
            for place, each in zip(places, sums, strict=True):
                code.store(each, place)

        code.tiles(width, block)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_scaled_rows(
    typing_context: Any,
    target: Any,
    target_offset: Any,
    matrix: Any,
    matrix_offset: Any,
    index: Any,
    values: Any,
    index_offset: Any,
    count: Any,
    stride: Any,
    width: Any,
) -> Any:
    """``target[:width] += Σ_k values[k] · matrix[index[k] · stride:][:width]``."""
    del typing_context, target_offset, matrix_offset, index_offset, count, stride, width
    number = types.uintp
    signature = types.void(
        target, number, matrix, number, index, values, number, number, number, number
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target, target0, matrix, matrix0, index, values, index0, count, stride, width = arguments
        code = _Code(context, builder, kinds[0])
        to = code.data(kinds[0], target, target0)
        rows = code.data(kinds[2], matrix, matrix0)
        entries = code.data(kinds[4], index, index0)
        factors = code.data(kinds[5], values, index0)

        def block(first: Any, vectors: int) -> None:
            places = [code.place(to, first, v) for v in range(vectors)]

            def add(k: Any, sums: list[Any]) -> list[Any]:
                row = builder.mul(code.entry(entries, k), stride)
                start = builder.add(row, first)
                factor = code.spread(builder.load(builder.gep(factors, [k])))
                return [
                    code.multiply_add(factor, code.load(code.place(rows, start, v)), each)
                    for v, each in enumerate(sums)
                ]

            sums = code.rows(count, [code.load(place) for place in places], add)
            for place, each in zip(places, sums, strict=True):
                code.store(each, place)

        code.tiles(width, block)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def scatter_row(
    typing_context: Any,
    matrix: Any,
    matrix_offset: Any,
    index: Any,
    index_offset: Any,
    count: Any,
    stride: Any,
    row: Any,
    row_offset: Any,
    width: Any,
) -> Any:
    """``matrix[index[k] · stride:][:width] += row[:width]`` for every k."""
    del typing_context, matrix_offset, index_offset, count, stride, row_offset, width
    number = types.uintp
    signature = types.void(matrix, number, index, number, number, number, row, number, number)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        matrix, matrix0, index, index0, count, stride, row, row0, width = arguments
        code = _Code(context, builder, kinds[0])
        rows = code.data(kinds[0], matrix, matrix0)
        entries = code.data(kinds[2], index, index0)
        from_ = code.data(kinds[6], row, row0)

        def block(first: Any, vectors: int) -> None:
            added = [code.load(code.place(from_, first, v)) for v in range(vectors)]

            def add(k: Any, _: list[Any]) -> list[Any]:
                start = builder.add(builder.mul(code.entry(entries, k), stride), first)
                for v, each in enumerate(added):
                    place = code.place(rows, start, v)
                    code.store(builder.fadd(code.load(place), each), place)
                return []

            code.rows(count, [], add)

        code.tiles(width, block)
        return context.get_dummy_value()

    return signature, generate
