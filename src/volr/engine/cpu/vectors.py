"""The inner loops of the engine, written as vector code for LLVM.

Two go over lists of rows of a matrix, some 64 columns at a time, with the running sums in the
registers of the processor, where a loop in Python's terms would keep them in memory: that is a
factor of three. A column of the matrix is never looked at; the rows are those of the neurons that
spiked.

    add_rows          target = start + Σ_k matrix[index_k], of two lists at a time
    add_scaled_rows   target += Σ_k value_k · matrix[index_k]

and two deal with eight neurons at once: ``load_word`` and ``write_eight``.

Everything is a flat array with an offset. ``width`` is a multiple of ``LANES``; a row begins at
index · ``stride``. Sums are taken in the order of the list, so that the result does not depend on
how the work was split, nor on how wide the vectors of the processor are.

The file is long because all four loops are made with ``_Code``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from llvmlite import ir

from volr.engine.cpu.compiler import cgutils, intrinsic, make_array, types

if TYPE_CHECKING:
    from collections.abc import Callable

TILE_BYTES = 256
"""Columns whose sums are in registers at a time: eight vectors of AVX2's, or four of AVX-512's."""
LANES = 16
"""Columns are padded to a multiple of this, for either precision and for any processor."""


def has_wide_vectors(context: Any) -> bool:
    """Whether the processor has AVX-512: vectors of 64 bytes, and 32 registers for them.

    Without it LLVM makes two vectors of each wide one, and AVX2 has too few registers for them.
    """
    *_, features = context.codegen().magic_tuple()
    return "+avx512f" in features


class _Code:
    """What the loops have in common: pointers, loads, stores, and the loops around them."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        self.element = context.get_value_type(array.dtype)
        self.size = 4 if array.dtype == types.float32 else 8
        self.wide = has_wide_vectors(context)
        self.lanes = (64 if self.wide else 32) // self.size
        self.registers = TILE_BYTES // (self.lanes * self.size)
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
        self,
        first: Any,
        last: Any,
        carried: list[Any],
        body: Callable[[Any, list[Any]], list[Any]],
    ) -> list[Any]:
        """A loop over entries ``first`` to ``last`` that carries vectors along, and returns them in
        the end."""
        builder = self.builder
        before = builder.block
        head, inside, after = (
            builder.append_basic_block(name) for name in ("rows.head", "rows.body", "rows.end")
        )
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(self.word)
        k.add_incoming(first, before)
        sums: list[Any] = []
        for each in carried:
            phi = builder.phi(self.vector)
            phi.add_incoming(each, before)
            sums.append(phi)
        builder.cbranch(builder.icmp_unsigned("<", k, last), inside, after)
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
        full = builder.udiv(width, self.number(self.registers * self.lanes))
        with cgutils.for_range(builder, full) as loop:
            block(builder.mul(loop.index, self.number(self.registers * self.lanes)), self.registers)
        done = builder.mul(full, self.number(self.registers * self.lanes))
        left = builder.udiv(builder.sub(width, done), self.number(self.lanes))
        end = builder.append_basic_block("tiles.end")
        choice = builder.switch(left, end)
        for vectors in range(1, self.registers):
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
    start: Any,
    matrix: Any,
    matrix_offset: Any,
    index: Any,
    stride: Any,
    width: Any,
    to_1: Any,
    from_1: Any,
    begin_1: Any,
    count_1: Any,
    to_2: Any,
    from_2: Any,
    begin_2: Any,
    count_2: Any,
) -> Any:
    """Two sums of rows, each beginning with what ``start`` has.

        target[to:][:width] = start[from:][:width] + Σ_k matrix[index[begin + k] · stride:][:width]

    ``k`` runs over the ``count`` entries of a list, and ``target`` may be ``start``. An addition
    takes some cycles, in which others can begin. With AVX-512 a tile has too few columns to keep
    the processor busy, hence a second list beside the first. The second is written before the
    first: an empty one may name the places of the first.
    """
    del typing_context, matrix_offset, stride, width
    del to_1, from_1, begin_1, count_1, to_2, from_2, begin_2, count_2
    number = types.uintp
    signature = types.void(target, start, matrix, number, index, *[number] * 10)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target, start, matrix, matrix0, index, stride, width, *lists = arguments
        code = _Code(context, builder, kinds[0])
        rows = code.data(kinds[2], matrix, matrix0)
        (to_1, from_1, entries_1, count_1), (to_2, from_2, entries_2, count_2) = (
            (
                code.data(kinds[0], target, to),
                code.data(kinds[1], start, from_),
                code.data(kinds[4], index, begin),
                count,
            )
            for to, from_, begin, count in (lists[:4], lists[4:])
        )
        shorter = builder.select(builder.icmp_unsigned("<", count_1, count_2), count_1, count_2)

        def block(first: Any, vectors: int) -> None:
            def loaded(pointer: Any) -> list[Any]:
                return [code.load(code.place(pointer, first, v)) for v in range(vectors)]

            def stored(sums: list[Any], pointer: Any) -> None:
                for v, each in enumerate(sums):
                    code.store(each, code.place(pointer, first, v))

            def added(entries: Any, k: Any, sums: list[Any]) -> list[Any]:
                row = builder.mul(code.entry(entries, k), stride)
                at = builder.add(row, first)
                return [
                    builder.fadd(each, code.load(code.place(rows, at, v)))
                    for v, each in enumerate(sums)
                ]

            def both(k: Any, sums: list[Any]) -> list[Any]:
                one, two = sums[:vectors], sums[vectors:]
                return added(entries_1, k, one) + added(entries_2, k, two)

            none = code.number(0)
            if not code.wide:
                stored(code.rows(none, count_2, loaded(from_2), partial(added, entries_2)), to_2)
                stored(code.rows(none, count_1, loaded(from_1), partial(added, entries_1)), to_1)
                return
            sums = code.rows(none, shorter, loaded(from_1) + loaded(from_2), both)
            one, two = sums[:vectors], sums[vectors:]
            stored(code.rows(shorter, count_2, two, partial(added, entries_2)), to_2)
            stored(code.rows(shorter, count_1, one, partial(added, entries_1)), to_1)

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

            sums = code.rows(code.number(0), count, [code.load(place) for place in places], add)
            for place, each in zip(places, sums, strict=True):
                code.store(each, place)

        code.tiles(width, block)
        return context.get_dummy_value()

    return signature, generate
