"""What a Futhark program has for kernels, pools, identities and the largest: a definition for each.

A program has those that its network needs. Maps are ``[channel][row][column]f32``; those of one
axis have one row. All are loops that Futhark differentiates: of other forms of the same sums, its
compiler makes no gradients, or slow ones (measured with 0.25.32).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFINITIONS: Mapping[str, str] = {
    "padded": """\
-- | Maps with so many rows and columns of zeros around them.
def padded [c] [h] [w]
           (rows: i64)
           (columns: i64)
           (x: [c][h][w]f32) : [c][rows + h + rows][columns + w + columns]f32 =
  let at i y z = if 0 <= y && y < h && 0 <= z && z < w then x[i, y, z] else 0
  in tabulate_3d c
                 (rows + h + rows)
                 (columns + w + columns)
                 (\\i y z -> at i (y - rows) (z - columns))
""",
    "convolved": """\
-- | The weighted sums of a kernel that slides over maps: of each channel, at each place. A channel
-- takes those of its own group.
def convolved [o] [c] [kh] [kw] [given] [h] [w]
              (m: i64)
              (n: i64)
              ({ stride = (down, right), pad = (rows, columns), groups }
               : { stride: (i64, i64), pad: (i64, i64), groups: i64 })
              (kernel: [o][c][kh][kw]f32)
              (x: [given][h][w]f32) : [o][m][n]f32 =
  let whole = padded rows columns x
  let sum k f = f32.sum (map f (iota k))
  in tabulate_3d o m n (\\j y z ->
       let first = j / (o / groups) * c
       in sum c (\\i ->
            sum kh (\\a ->
              sum kw (\\b ->
                kernel[j, i, a, b] * whole[first + i, y * down + a, z * right + b]))))
""",
    "row_kernel": """\
-- | A kernel of one axis, for maps of one row.
def row_kernel [o] [c] [k] (kernel: [o][c][k]f32) : [o][c][1][k]f32 =
  map (map (\\row -> [row])) kernel
""",
    "means": """\
-- | The mean of each window.
def means [c] [h] [w]
          (m: i64)
          (n: i64)
          ({ window = (kh, kw), stride = (down, right) }
           : { window: (i64, i64), stride: (i64, i64) })
          (x: [c][h][w]f32) : [c][m][n]f32 =
  let sum k f = f32.sum (map f (iota k))
  let window i y z = sum kh (\\a -> sum kw (\\b -> x[i, y * down + a, z * right + b]))
  in tabulate_3d c m n (\\i y z -> window i y z / f32.i64 (kh * kw))
""",
    "sums": """\
-- | The sum of each window.
def sums [c] [h] [w]
         (m: i64)
         (n: i64)
         ({ window = (kh, kw), stride = (down, right) }
          : { window: (i64, i64), stride: (i64, i64) })
         (x: [c][h][w]f32) : [c][m][n]f32 =
  let sum k f = f32.sum (map f (iota k))
  in tabulate_3d c m n (\\i y z ->
       sum kh (\\a -> sum kw (\\b -> x[i, y * down + a, z * right + b])))
""",
    "largest": """\
-- | The largest of each window.
def largest [c] [h] [w]
            (m: i64)
            (n: i64)
            ({ window = (kh, kw), stride = (down, right) }
             : { window: (i64, i64), stride: (i64, i64) })
            (x: [c][h][w]f32) : [c][m][n]f32 =
  let most k f = f32.maximum (map f (iota k))
  in tabulate_3d c m n (\\i y z ->
       most kh (\\a -> most kw (\\b -> x[i, y * down + a, z * right + b])))
""",
    "scaled": """\
-- | One weight for all.
def scaled [n] (w: [1]f32) (x: [n]f32) : [n]f32 = map (\\each -> w[0] * each) x
""",
    "scaled_maps": """\
-- | One weight for all.
def scaled_maps [c] [h] [w] (weight: [1]f32) (x: [c][h][w]f32) : [c][h][w]f32 =
  map_maps (\\each -> weight[0] * each) x
""",
    "map_maps": """\
def map_maps [c] [h] [w] (f: f32 -> f32) (x: [c][h][w]f32) : [c][h][w]f32 = map (map (map f)) x
""",
    "add_maps": """\
def add_maps [c] [h] [w] (xs: [c][h][w]f32) (ys: [c][h][w]f32) : [c][h][w]f32 =
  map2 (map2 (map2 (+))) ys xs
""",
    "add_channels": """\
-- | The same number for a whole channel.
def add_channels [c] [h] [w] (bias: [c]f32) (x: [c][h][w]f32) : [c][h][w]f32 =
  map2 (\\b -> map (map (+ b))) bias x
""",
    "part": """\
-- | A share of one weight.
def part (k: i64) (w: [1]f32) : [1]f32 = map (/ f32.i64 k) w
""",
    "parts": """\
-- | A share of each weight: of a sum where there would be a mean.
def parts [m] [n] (k: i64) (w: [m][n]f32) : [m][n]f32 = map (map (/ f32.i64 k)) w
""",
    "kernel_parts": """\
-- | A share of each weight of a kernel.
def kernel_parts [o] [c] [kh] [kw] (k: i64) (kernel: [o][c][kh][kw]f32) : [o][c][kh][kw]f32 =
  map (map (map (map (/ f32.i64 k)))) kernel
""",
    "larger": """\
def larger [c] [h] [w] (xs: [c][h][w]f32) (ys: [c][h][w]f32) : [c][h][w]f32 =
  map2 (map2 (map2 f32.max)) ys xs
""",
}
"""By name; each stands after those that it calls in ``_ORDER``."""
PARTS = ("part", "parts", "kernel_parts")
"""Those of them for whole numbers alone, whose means are sums."""
_CALLS = {"convolved": ("padded",), "scaled_maps": ("map_maps",)}
_ORDER = ("map_maps", *(name for name in DEFINITIONS if name != "map_maps"))
NAMES = frozenset(
    {
        *(DEFINITIONS.keys() - set(PARTS)),
        "tabulate_3d",
        "iota",
        "flatten_3d",
        "unflatten_3d",
        "unflatten_4d",
    }
)
"""What no population and no parameter of a program with maps is called."""


def definitions(needed: Collection[str]) -> list[str]:
    """The definitions of these names, and of what they call."""
    whole = {*needed, *(called for name in needed for called in _CALLS.get(name, ()))}
    return [DEFINITIONS[name] for name in _ORDER if name in whole]
