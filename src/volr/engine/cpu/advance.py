"""One step of a population whose currents stay, as vector code for LLVM."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from volr.engine.cpu.compiler import cgutils, intrinsic, make_array, types

LANES = 16
"""Places are filled up to a multiple of this."""
TOGETHER = 4
"""Vectors that are moved at a time."""


@intrinsic
def advance(
    typing_context: Any,
    membranes: Any,
    currents: Any,
    times: Any,
    places: Any,
    step: Any,
    steps: Any,
    threshold: Any,
    limit: Any,
) -> Any:
    """V ← V + I, ``steps`` times, for the first ``places``; what arrives in between is nothing.

    Where V reaches ``threshold``, the time is that of the step; the first is number ``step``. The
    membrane of a neuron that has spiked is NaN from then on: it is at no threshold again. Returns
    whether another membrane was beyond ± ``limit``. ``places`` is a multiple of ``LANES``,
    ``times`` are int32.
    """
    del typing_context, places, step, steps, threshold, limit
    number = membranes.dtype
    signature = types.boolean(
        membranes, currents, times, types.uintp, types.int32, types.int32, number, number
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        membranes, currents, times, places, step, steps, threshold, limit = arguments
        single = signature.args[0].dtype == types.float32
        lanes, size = (LANES, 4) if single else (LANES // 2, 8)
        element, whole, lane = context.get_value_type(number), ir.IntType(32), ir.IntType(32)
        vector, wide = ir.VectorType(element, lanes), ir.VectorType(whole, lanes)
        mask = ir.VectorType(ir.IntType(1), lanes)

        def spread(value: Any, kind: Any) -> Any:
            nothing = ir.Constant(kind, ir.Undefined)
            one = builder.insert_element(nothing, value, ir.Constant(lane, 0))
            zeros = ir.Constant(ir.VectorType(lane, lanes), [0] * lanes)
            return builder.shuffle_vector(one, nothing, zeros)

        def vectors_of(kind: Any, array: Any, of: Any) -> Any:
            data = make_array(kind)(context, builder, array).data
            return builder.bitcast(data, of.as_pointer())

        def loaded(place: Any, align: int) -> Any:
            value = builder.load(place)
            value.align = align
            return value

        v = vectors_of(signature.args[0], membranes, vector)
        i = vectors_of(signature.args[1], currents, vector)
        at = vectors_of(signature.args[2], times, wide)
        first, ones = spread(step, wide), ir.Constant(wide, [1] * lanes)
        at_threshold, at_limit = spread(threshold, vector), spread(limit, vector)
        spiked = ir.Constant(vector, [float("nan")] * lanes)
        absolute = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector]), f"llvm.fabs.v{lanes}f{8 * size}"
        )
        beyond = cgutils.alloca_once_value(builder, ir.Constant(mask, [0] * lanes))

        def some(each: Any, together: int) -> None:
            """Some vectors at a time, in registers: a sum takes cycles in which others begin."""
            places = [builder.add(each, ir.Constant(each.type, n)) for n in range(together)]
            here = [builder.gep(v, [place]) for place in places]
            when = [builder.gep(at, [place]) for place in places]
            added = [loaded(builder.gep(i, [place]), size) for place in places]
            begin = [loaded(place, size) for place in here] + [loaded(place, 4) for place in when]
            before = builder.block
            head, inside, after = (
                builder.append_basic_block(f"steps.{part}") for part in ("head", "body", "end")
            )
            builder.branch(head)
            builder.position_at_end(head)
            count, now, bad = builder.phi(whole), builder.phi(wide), builder.phi(mask)
            count.add_incoming(ir.Constant(whole, 0), before)
            now.add_incoming(first, before)
            bad.add_incoming(ir.Constant(mask, [0] * lanes), before)
            carried = [builder.phi(value.type) for value in begin]
            for phi, value in zip(carried, begin, strict=True):
                phi.add_incoming(value, before)
            builder.cbranch(builder.icmp_signed("<", count, steps), inside, after)
            builder.position_at_end(inside)
            wrong = bad
            membranes: list[Any] = []
            spikes: list[Any] = []
            for old, time, current in zip(
                carried[:together], carried[together:], added, strict=True
            ):
                moved = builder.fadd(old, current)
                fires = builder.fcmp_ordered(">=", moved, at_threshold)
                membranes.append(builder.select(fires, spiked, moved))
                spikes.append(builder.select(fires, now, time))
                large = builder.fcmp_ordered(">", builder.call(absolute, [moved]), at_limit)
                wrong = builder.or_(wrong, large)
            for phi, value in zip(carried, membranes + spikes, strict=True):
                phi.add_incoming(value, inside)
            count.add_incoming(builder.add(count, ir.Constant(whole, 1)), inside)
            now.add_incoming(builder.add(now, ones), inside)
            bad.add_incoming(wrong, inside)
            builder.branch(head)
            builder.position_at_end(after)
            for place, value in zip(here, carried[:together], strict=True):
                builder.store(value, place).align = size
            for place, value in zip(when, carried[together:], strict=True):
                builder.store(value, place).align = 4
            builder.store(builder.or_(builder.load(beyond), bad), beyond)

        count = builder.udiv(places, ir.Constant(places.type, lanes))
        four = builder.udiv(count, ir.Constant(count.type, TOGETHER))
        with cgutils.for_range(builder, four) as each:
            some(builder.mul(each.index, ir.Constant(count.type, TOGETHER)), TOGETHER)
        done = builder.mul(four, ir.Constant(count.type, TOGETHER))
        with cgutils.for_range(builder, builder.sub(count, done)) as each:
            some(builder.add(each.index, done), 1)
        bits = builder.bitcast(builder.load(beyond), ir.IntType(lanes))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return signature, generate
