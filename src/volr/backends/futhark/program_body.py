"""The half of a Futhark program that is the same for every network: how it is run, and learns.

``descent`` does what PyTorch's ``SGD`` and ``AdamW`` do, to the letter; losses are those of
``volr.training.losses``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Loss: TypeAlias = Literal["cross_entropy", "mse"]
"""As ``volr.training.settings`` has them, which is above all back ends."""

LOSSES: Mapping[Loss, str] = {
    "cross_entropy": """\
-- | The loss of one sample: softmax cross-entropy.
def sample_loss [m] (z: [m]f32) (label: i64) : f32 =
  let best = f32.maximum z
  in best + f32.log (f32.sum (map (\\each -> f32.exp (each - best)) z)) - z[label]
""",
    "mse": """\
-- | The loss of one sample: the mean squared difference from 1 at its label and 0 elsewhere.
def sample_loss [m] (z: [m]f32) (label: i64) : f32 =
  let d = copy z with [label] = z[label] - 1
  in f32.sum (map2 (*) d d) / f32.i64 m
""",
}

FORWARD = """\
-- | The logits of each stimulus.
entry forward [b]
              (parameters: [parameter_count]f32)
              (inputs: [b][input_size]f32) : [b][output_size]f32 =
  map (logits (unpack parameters)) inputs
"""

_DESCENT = """\
def mean_loss [b]
              (parameters: [parameter_count]f32)
              (inputs: [b][input_size]f32)
              (labels: [b]i64) : f32 =
  let p = unpack parameters
  in f32.sum (map2 (\\x label -> sample_loss (logits p x) label) inputs labels) / f32.i64 b

-- | The mean loss and its gradient. A derivative is long, so there is one copy of it.
#[noinline]
def loss_and_gradient [b]
                      (parameters: [parameter_count]f32)
                      (inputs: [b][input_size]f32)
                      (labels: [b]i64) : (f32, [parameter_count]f32) =
  vjp2 (\\w -> mean_loss w inputs labels) parameters 1

-- | Where the largest logit is; of several, the first.
def argmax [m] (z: [m]f32) : i64 =
  loop best = 0 for i < m do if z[i] > z[best] then i else best

-- | The mean loss.
entry loss [b]
           (parameters: [parameter_count]f32)
           (inputs: [b][input_size]f32)
           (labels: [b]i64) : f32 =
  mean_loss parameters inputs labels

-- | The share of stimuli whose largest logit is at their label.
entry accuracy [b]
               (parameters: [parameter_count]f32)
               (inputs: [b][input_size]f32)
               (labels: [b]i64) : f32 =
  let correct = map2 (\\z label -> i64.bool (argmax z == label)) (forward parameters inputs) labels
  in f32.i64 (i64.sum correct) / f32.i64 b

-- | The gradient of the mean loss, in the order of the parameters.
entry gradient [b]
               (parameters: [parameter_count]f32)
               (inputs: [b][input_size]f32)
               (labels: [b]i64) : [parameter_count]f32 =
  (loss_and_gradient parameters inputs labels).1

-- | One step for each of `rates`, each on the next `batch_size` of the samples in this `order` (the
-- last one on what is left). Gives the last state, and the sum of the losses of all samples, each
-- as it was when its turn came.
def descend 'state [s] [o] [k]
            (parameters: state -> [parameter_count]f32)
            (step: state -> [parameter_count]f32 -> f32 -> state)
            (start: state)
            (inputs: [s][input_size]f32)
            (labels: [s]i64)
            (order: [o]i64)
            (batch_size: i64)
            (rates: [k]f32) : (state, f32) =
  loop (state, total) = (start, 0)
  for i < k do
    let drawn = order[i * batch_size:i64.min o ((i + 1) * batch_size)]
    let xs = map (\\j -> inputs[j]) drawn
    let ys = map (\\j -> labels[j]) drawn
    let (mean, slope) = loss_and_gradient (parameters state) xs ys
    in (step state slope rates[i], total + mean * f32.i64 (length drawn))

-- | Plain gradient descent; gives the parameters.
entry train [s] [o] [k]
            (parameters: [parameter_count]f32)
            (inputs: [s][input_size]f32)
            (labels: [s]i64)
            (order: [o]i64)
            (batch_size: i64)
            (rates: [k]f32) : [parameter_count]f32 =
  let step v slope rate = map2 (\\x d -> x - rate * d) v slope<held>
  in (descend id step parameters inputs labels order batch_size rates).0

-- The other two give all that they need to go on, in one vector, and they begin with zeros for
-- whatever is not a parameter. At its end is the sum of the losses, to which they add.

-- | Parameters, velocities, losses.
def momentum_size : i64 = 2 * parameter_count + 1

-- | Gradient descent with momentum; `decay` is the weight of half the parameters' squares.
entry train_momentum [s] [o] [k]
                     (state: [momentum_size]f32)
                     (inputs: [s][input_size]f32)
                     (labels: [s]i64)
                     (order: [o]i64)
                     (batch_size: i64)
                     (rates: [k]f32)
                     (momentum: f32)
                     (decay: f32) : [momentum_size]f32 =
  let values = take parameter_count state
  let velocity = take parameter_count (drop parameter_count state)
  let step (v, velocity) slope rate =
    let velocity = map3 (\\u x d -> momentum * u + d + decay * x) velocity v slope
    in (map2 (\\x u -> x - rate * u) v velocity<held>, velocity)
  let ((values, velocity), total) =
    descend (.0) step (values, velocity) inputs labels order batch_size rates
  in values ++ velocity ++ [state[momentum_size - 1] + total] :> [momentum_size]f32

-- | Parameters, first moments, second moments, the number of updates, losses.
def adam_size : i64 = 3 * parameter_count + 2

-- | AdamW (Loshchilov & Hutter 2019): of a parameter, an update takes off the share `decay` times
-- the rate.
entry train_adam [s] [o] [k]
                 (state: [adam_size]f32)
                 (inputs: [s][input_size]f32)
                 (labels: [s]i64)
                 (order: [o]i64)
                 (batch_size: i64)
                 (rates: [k]f32)
                 (decay: f32) : [adam_size]f32 =
  let values = take parameter_count state
  let first = take parameter_count (drop parameter_count state)
  let second = take parameter_count (drop (2 * parameter_count) state)
  let step (v, first, second, updates) slope rate =
    let updates = updates + 1
    let first = map2 (\\m d -> 0.9 * m + 0.1 * d) first slope
    let second = map2 (\\m d -> 0.999 * m + 0.001 * d * d) second slope
    let v =
      map3 (\\x m s ->
              let m = m / (1 - 0.9 ** updates)
              let s = s / (1 - 0.999 ** updates)
              in x - rate * (decay * x + m / (f32.sqrt s + 1e-8)))
           v
           first
           second<held>
    in (v, first, second, updates)
  let ((values, first, second, updates), total) =
    descend (.0)
            step
            (values, first, second, state[adam_size - 2])
            inputs
            labels
            order
            batch_size
            rates
  in values ++ first ++ second ++ [updates, state[adam_size - 1] + total] :> [adam_size]f32
"""

_HELD = """
-- | Weights that are learned, and the others as they were.
def held (before: [parameter_count]f32) (after: [parameter_count]f32) : [parameter_count]f32 =
  copy after
"""


def descent(fixed: Sequence[tuple[int, int]] = ()) -> str:
    """Loss, accuracy, gradient, and three ways to descend it.

    ``fixed`` are the first and the last place, not included, of parameters that it leaves alone.
    """
    if not fixed:
        return _DESCENT.replace("<held>", "")
    kept = "".join(f"    with [{a}:{b}] = before[{a}:{b}]\n" for a, b in fixed)
    return f"{_HELD.lstrip()}{kept}\n{_DESCENT}".replace("<held>", " |> held v")
